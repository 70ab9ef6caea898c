import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parts } from '../../../src/cli/parts.ts';
import { runCli } from '../../../src/cli/program.ts';
import type { ProbeReport } from '../../../src/results/probe-report.ts';
import { readResults } from '../../../src/results/results.ts';
import { expectSameRows } from '../../serve/same-rows.ts';

const PYTHON = process.env.UNRUT_PYTHON ?? '.venv/bin/python';
const FOLDER = 'models/organism';
/**
 * More than a few take long: `transformers serve` answers one request after the other. It goes on from no open turn, and
 * the organism's vocabulary has no words to ask it to, so only what needs no open turn is measured.
 */
const PROBLEMS = process.env.UNRUT_PROBLEMS ?? '8';
const FEW = ['--problems', PROBLEMS, '--behaviours', 'defensiveness,base-quality'];

/** Why there is nothing to compare with; undefined where there is. */
function absence(): string | undefined {
  if (!existsSync(`${FOLDER}/model.safetensors`)) return `${FOLDER} has no weights`;
  try {
    execFileSync(PYTHON, ['-c', 'import torch, transformers, fastapi, uvicorn'], { stdio: 'pipe' });
    return undefined;
  } catch {
    return `${PYTHON} has no transformers[serving]; see tests/peers/serve/README.md`;
  }
}

const absent = absence();
if (absent !== undefined) process.stderr.write(`skipped: ${absent}\n`);

describe.skipIf(absent !== undefined)('transformers serve, probed', () => {
  const runs = mkdtempSync(join(tmpdir(), 'unrut-serve-peer-'));
  let server: ChildProcess;
  let url: string;

  beforeAll(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const script = 'import sys; from transformers.cli.transformers import main; sys.exit(main())';
    const words = ['-c', script, 'serve', FOLDER, '--device', 'cpu', '--port', String(port), '--host', '127.0.0.1'];
    server = spawn(PYTHON, words, { stdio: 'ignore' });
    while (!(await fetch(`${url}/health`).then(({ ok }) => ok, () => false))) {
      if (server.exitCode !== null) throw new Error(`transformers serve ended with ${server.exitCode}`);
      await wait(500);
    }
  }); // biome-ignore format: one wait
  afterAll(() => {
    server?.kill('SIGTERM');
    rmSync(runs, { recursive: true });
  });

  it('gives the rows that the model gives in this process', async () => {
    const here = await probed(FOLDER);
    const there = await probed(`${url}/v1#${FOLDER}`, '--family', 'running-sum', '--timeout', '600');
    const { mode, self_test } = (await readResults(join(runs, '1', 'results.json'))).run.endpoint!;
    process.stdout.write(`${mode}; ${JSON.stringify(self_test, undefined, 1)}\n`);
    const count = expectSameRows(here, there);
    process.stdout.write(`${JSON.stringify(count)}\n`);
    expect(count.equal).toBeGreaterThanOrEqual(7);
  }, 3_600_000);

  let probes = 0;
  async function probed(model: string, ...words: string[]): Promise<ProbeReport> {
    const out = join(runs, String(probes++));
    expect(await runCli(['probe', model, ...FEW, ...words, '--quiet', '--out', out], async () => parts)).toBe(0);
    return JSON.parse(readFileSync(join(out, 'probes', 'after.json'), 'utf8'));
  }
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
