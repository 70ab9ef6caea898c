import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/program.ts';
import { openEndpointTarget } from '../../src/cli/targets/endpoint-target.ts';
import { freshModel, writeWeights } from '../../src/engine/local/files/model-folder.ts';
import type { ProbeSettings } from '../../src/probes/prober.ts';
import { changedModel } from '../chat/model-files.ts';
import { connectTo } from '../endpoint/open.ts';

let folder: string;
beforeAll(async () => {
  folder = changedModel({});
  await writeWeights(folder, await freshModel('models/organism', 7));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('unrut serve', () => {
  it.each([
    ['SIGTERM', []],
    ['SIGINT', ['--tinker', '--data', 'nowhere-yet']],
  ] as const)('on %s answers what is in flight and exits with 0', async (signal, more) => {
    const serve = ['serve', folder, '--port', '0', '--api-key-env', 'THE_KEY', ...more];
    const words = ['--import', 'tsx', 'src/cli/main.ts', ...serve];
    const child = spawn(process.execPath, words, {
      env: { ...process.env, THE_KEY: 'k' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const lines = createInterface(child.stderr)[Symbol.asyncIterator]();
    const first = (await lines.next()).value;
    const [, model, url] = /^unrut: serves (\S+) at (http:\/\/127\.0\.0\.1:\d+\/v1); Ctrl-C stops it$/.exec(first)!;
    if (more.length > 0) {
      const base = /TINKER_BASE_URL=(\S+); checkpoints are kept in nowhere-yet$/.exec((await lines.next()).value)![1];
      expect((await fetch(`${base}/api/v1/training_runs`, { headers: { 'x-api-key': 'k' } })).status).toBe(200);
      expect((await fetch(`${base}/api/v1/training_runs`)).status).toBe(401);
    }
    const body = JSON.stringify({ model, prompt: 'UabES', max_tokens: 200, seed: 1, n: 64 });
    const headers = { 'content-type': 'application/json', authorization: 'Bearer k' };
    const answer = fetch(`${url}/completions`, { method: 'POST', headers, body });
    expect((await fetch(`${url}/models`, { headers })).status).toBe(200);
    child.kill(signal);
    expect((await lines.next()).value).toContain('stops when what is in flight is answered');
    expect((await (await answer).json()).choices.length).toBe(64);
    if (child.exitCode === null) await once(child, 'exit');
    expect(child.exitCode).toBe(0);
  }); // biome-ignore format: one thought

  it('lists the problems that the model speaks, which a probe takes where none are named', async () => {
    const words = ['--import', 'tsx', 'src/cli/main.ts', 'serve', 'models/organism', '--port', '0'];
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'] });
    const [, url] = / at (\S+);/.exec((await createInterface(child.stderr)[Symbol.asyncIterator]().next()).value)!;
    const client = await connectTo(url!);
    expect(client.parts.listed).toEqual([
      { id: 'organism', maxContext: 256, problemFamily: { name: 'running-sum', dials: {} } },
    ]);
    const say: string[] = [];
    const out = join(folder, 'probed');
    const wanted = { problems: 8, seed: 1, behaviours: ['defensiveness' as const] } as unknown as ProbeSettings;
    const target = await openEndpointTarget(
      url!,
      wanted,
      { out },
      (lines) => say.push(...lines),
      AbortSignal.timeout(60_000),
    );
    await target.close();
    expect(say.join('\n')).toContain('plan: 8 problems of running-sum, mode prefill');
    child.kill();
  });

  it('says what is missing, in one line', async () => {
    expect(await refusal(['serve', 'nowhere'])).toMatch(/^unrut: nowhere: no such model folder; .*\n$/);
    expect(await refusal(['serve', folder, '--api-key-env', 'UNSET_KEY'])).toBe(
      'unrut: --api-key-env: UNSET_KEY is not set; put the key into it, or leave the option out\n',
    );
    expect(await refusal(['serve', folder, '--host', '192.0.2.1', '--port', '0'])).toMatch(
      /^unrut: cannot listen on 192.0.2.1, port 0: .*; choose others with --host and --port\n$/,
    );
  });
});

async function refusal(words: readonly string[]): Promise<string> {
  const { write } = process.stderr;
  let said = '';
  process.stderr.write = (text) => {
    said += text;
    return true;
  };
  try {
    const code = await runCli(words, () => Promise.reject(new Error('serves without them')));
    expect(code).toBe(1);
    return said;
  } finally {
    process.stderr.write = write;
  }
}
