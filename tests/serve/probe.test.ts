import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { runCli } from '../../src/cli/program.ts';
import type { RunParts } from '../../src/recipe/run-parts.ts';
import type { ProbeReport } from '../../src/results/probe-report.ts';
import { readResults } from '../../src/results/results.ts';
import { temporaryFile } from '../temporary.ts';
import { expectSameRows } from './same-rows.ts';

const MODEL = 'models/organism';
const FEW = ['--problems', '12', '--behaviours', 'defensiveness,error-amplification,error-checking,base-quality'];

const parts = async (): Promise<RunParts> => (await import('../../src/cli/parts.ts')).parts;

async function probed(model: string, ...words: string[]): Promise<{ out: string; report: ProbeReport }> {
  const out = temporaryFile('probe');
  expect(await runCli(['probe', model, ...FEW, ...words, '--json', '--out', out], parts)).toBe(0);
  return { out, report: JSON.parse(readFileSync(join(out, 'probes', 'after.json'), 'utf8')) };
}

it.skipIf(!existsSync(`${MODEL}/model.safetensors`))(
  'unrut serve, probed over HTTP, gives the rows that the model gives in this process',
  async () => {
    const words = ['--import', 'tsx', 'src/cli/main.ts', 'serve', MODEL, '--port', '0'];
    const server = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'] });
    try {
      const line = (await createInterface(server.stderr)[Symbol.asyncIterator]().next()).value;
      const url = /at (http:\S+);/.exec(line)![1]!;
      const here = await probed(MODEL);
      const there = await probed(`${url}#organism`, '--family', 'running-sum');
      const count = expectSameRows(here.report, there.report);
      expect(count.equal).toBeGreaterThan(25);
      expect(count.within).toBeGreaterThan(0);
      const { self_test, mode } = (await readResults(join(there.out, 'results.json'))).run.endpoint!;
      expect(mode).toBe('prefill');
      for (const ability of ['prefill', 'own_logprobs', 'prompt_logprobs', 'seed', 'n', 'stop']) {
        expect({ ability, ...self_test[ability] }).toMatchObject({ ability, can: true });
      }
    } finally {
      server.kill();
    }
  },
);
