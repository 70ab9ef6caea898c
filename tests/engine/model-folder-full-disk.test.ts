import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { readCheckpoint, writeCheckpoint } from '../../src/engine/local/files/policy-checkpoint.ts';
import { initialWeights } from '../../src/engine/local/model/weights.ts';
import { initialAdamState } from '../../src/engine/local/policy/adamw.ts';
import { fingerprintFiles } from '../../src/record/fingerprint.ts';
import { tinyConfig } from './tiny-model.ts';

/** Files that may still be written before the disk is full. */
const disk = vi.hoisted(() => ({ room: Number.POSITIVE_INFINITY }));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const writeFile: typeof real.writeFile = async (path, content, options) => {
    if (disk.room-- > 0) return real.writeFile(path, content, options);
    await real.writeFile(path, 'as much as would fit');
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  };
  return { ...real, writeFile };
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unrut-full-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const state = (seed: number) => {
  const weights = initialWeights(tinyConfig, seed);
  return { weights, adam: { ...initialAdamState(weights.flat.length), step: seed } };
};

const FILES = ['config.json', 'model.safetensors', 'optimizer.safetensors'];

it.each(FILES.map((_, room) => room))('a disk that is full after %i files leaves what was there', async (room) => {
  const checkpoint = join(folder, 'checkpoint');
  await writeCheckpoint(checkpoint, state(1));
  const before = await fingerprintFiles(folder);

  disk.room = room;
  const saving = writeCheckpoint(checkpoint, state(2));
  await expect(saving).rejects.toThrow(/^cannot write .*checkpoint.*: no space left on the device; [^\n]*$/);
  expect(await fingerprintFiles(folder)).toEqual(before);
  await expect(writeCheckpoint(join(folder, 'other'), state(2))).rejects.toMatchObject({ name: 'RunError' });
  expect(readdirSync(folder)).toEqual(['checkpoint']);

  disk.room = Number.POSITIVE_INFINITY;
  await writeCheckpoint(checkpoint, state(2));
  expect((await readCheckpoint(checkpoint, tinyConfig)).adam.step).toBe(2);
  expect(readdirSync(checkpoint)).toEqual(FILES);
});
