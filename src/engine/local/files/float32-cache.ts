import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { RunError } from '../../../errors.ts';
import { parameterShapes } from '../model/architectures.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { type StoredWeights, sizeOf } from '../model/weights.ts';
import { SafetensorsFile, streamSafetensors } from './safetensors.ts';
import { type Place, type Places, storedWeights } from './stored-weights.ts';

/**
 * @file Weights that are stored in 16 bits, or in shards, as one file of 32-bit floats in the user's cache, so that graphs
 * can map them. It may be deleted at any time.
 */

/** `XDG_CACHE_HOME`, or `.cache` in the home folder. */
const cacheFolder = (): string => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'unrut', 'float32'); // an empty variable counts as none

/** Widens them where that was not done before. @returns undefined where the cache cannot be written. */
export async function widenedWeights(config: ModelConfig, places: Places): Promise<StoredWeights | undefined> {
  const path = join(cacheFolder(), `${await digestOf(config, places)}.safetensors`);
  try {
    if (!existsSync(path)) await widen(path, config, places);
  } catch (error) {
    if (error instanceof RunError) return undefined; // a full disk or a cache that may not be written: memory will do
    throw error;
  }
  const file = await SafetensorsFile.open(path);
  try {
    return storedWeights(config, new Map([...file.tensors].map(([name, tensor]) => [name, { file, tensor }])));
  } finally {
    await file.close();
  }
}

/** Changes with the files that the weights come from, by path, size and time. */
async function digestOf(config: ModelConfig, places: Places): Promise<string> {
  const files = [...new Set([...places.values()].map(({ file }) => file.path))].sort();
  const states = files.map(async (file) => {
    const { size, mtimeMs } = await stat(file);
    return [await realpath(file), size, mtimeMs];
  });
  const names = parameterShapes(config);
  return createHash('sha256')
    .update(JSON.stringify([names, await Promise.all(states)]))
    .digest('hex')
    .slice(0, 32);
}

async function widen(path: string, config: ModelConfig, places: Places): Promise<void> {
  await mkdir(cacheFolder(), { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new RunError(`${cacheFolder()}: cannot be made (${error.code})`);
  });
  const tensors = parameterShapes(config).map((shape) => {
    const place = places.get(shape.name)!; // checked to be there
    return { ...shape, portions: () => whole(place, sizeOf([shape])) };
  });
  const beside = `${path}.${process.pid}`;
  try {
    await streamSafetensors(beside, tensors, { format: 'pt' });
    await rename(beside, path);
  } finally {
    await rm(beside, { force: true });
  }
}

async function* whole({ file, tensor }: Place, length: number): AsyncGenerator<Float32Array> {
  const data = new Float32Array(length);
  await file.read(tensor, data);
  yield data;
}
