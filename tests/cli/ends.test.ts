import { spawn, spawnSync } from 'node:child_process';
import { existsSync, openSync, rmSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/cli/exit.ts';
import { readModelFolder, writeWeights } from '../../src/engine/local/files/model-folder.ts';
import { changedModel } from '../chat/model-files.ts';

/** @file How the real command line ends while the engine's workers are busy: never by an abort (134). */

type Ended = { readonly code: number | null; readonly signal: string | null; readonly stderr: string };

function probe(model: string): { send(signal: NodeJS.Signals): void; ended: Promise<Ended>; measuring: Promise<void> } {
  const words = ['probe', model, '--problems', '400', '--behaviours', 'defensiveness', '--family', 'running-sum'];
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', ...words]);
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  return {
    send: (signal) => void child.kill(signal),
    ended: new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, stderr }))),
    measuring: new Promise((resolve) => child.stdout.once('data', () => resolve())),
  };
}

let broken: string;
beforeAll(async () => {
  broken = changedModel({});
  const weights = await readModelFolder('models/organism');
  weights.flat[weights.flat.length >> 1] = Number.NaN;
  await writeWeights(broken, weights);
});
afterAll(() => rmSync(broken, { recursive: true }));

describe('while the workers are inside the executor', () => {
  it('a fault in the middle of a batch is told in one line', async () => {
    const { code, signal, stderr } = await probe(broken).ended;
    expect({ code, signal }).toEqual({ code: EXIT.error, signal: null });
    expect(stderr).toMatch(/^unrut: .*NaN.*\n$/);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('a second %s ends with 130', async (name) => {
    for (const pause of [150, 400]) {
      const { send, ended, measuring } = probe('models/organism');
      await measuring;
      await wait(pause);
      send(name);
      await wait(50);
      send(name);
      const { code, signal, stderr } = await ended;
      expect({ code, signal }).toEqual({ code: EXIT.interrupted, signal: null });
      expect(stderr).toBe('unrut: stops after this step; press Ctrl-C again to end at once\n');
    }
  });
});

describe.skipIf(!existsSync('/dev/full'))('where nothing can be written', () => {
  it.each([
    ['standard output', [1], /^unrut: ENOSPC: no space left on device, write/],
    ['standard error', [2], /^$/],
    ['either', [1, 2], /^$/],
  ] as const)('to %s, the process ends with 1', (_, full, told) => {
    const stdio = [0, 1, 2].map((at) => (full.some((one) => one === at) ? openSync('/dev/full', 'w') : 'pipe'));
    const words = [
      '--import',
      'tsx',
      'src/cli/main.ts',
      ...(full[0] === 1 ? ['problems', 'list'] : ['probe', 'nowhere']),
    ];
    const { status, signal, stderr } = spawnSync(process.execPath, words, { stdio, encoding: 'utf8', timeout: 30_000 });
    expect({ status, signal }).toEqual({ status: EXIT.error, signal: null });
    expect(stderr ?? '').toMatch(told);
  });
});
