import { closeSync, openSync, readSync, realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { ModelError } from '../../../errors.ts';
import { parameterShapes } from '../model/architectures.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { type StoredWeights, sharedFloats, sizeOf, windows } from '../model/weights.ts';
import type { SafetensorsFile, StoredTensor } from './safetensors.ts';

/** @file Weights that stay in their file until somebody asks for their numbers. */

export type Place = { readonly file: SafetensorsFile; readonly tensor: StoredTensor };
export type Places = ReadonlyMap<string, Place>;

/** All tensors that the config asks for, if they lie in one file as aligned 32-bit floats; otherwise undefined. */
export function storedWeights(config: ModelConfig, places: Places): StoredWeights | undefined {
  const found = parameterShapes(config).map(({ name }) => places.get(name)!); // checked to be there
  const [first] = found;
  const fits = found.every(
    ({ file, tensor }) => file === first?.file && tensor.type === 'F32' && tensor.begin % ALIGNMENT === 0,
  );
  if (first === undefined || !fits) return undefined;
  const path = realpathSync(first.file.path); // the executor does not follow a link out of its folder
  const offsets = new Map(found.map(({ tensor }) => [tensor.name, tensor.begin]));
  return { folder: dirname(path), file: basename(path), offsets, load: () => load(config, path, offsets) };
}

const ALIGNMENT = Float32Array.BYTES_PER_ELEMENT;

function load(config: ModelConfig, path: string, offsets: ReadonlyMap<string, number>): Float32Array {
  const shapes = parameterShapes(config);
  const flat = sharedFloats(sizeOf(shapes));
  const file = openSync(path, 'r');
  try {
    for (const { name, data } of windows(flat, shapes)) readAll(file, path, data, offsets.get(name)!); // all have one
  } finally {
    closeSync(file);
  }
  return flat;
}

function readAll(file: number, path: string, target: Float32Array, position: number): void {
  const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
  for (let done = 0; done < bytes.length; ) {
    const read = readSync(file, bytes, done, bytes.length - done, position + done);
    if (read === 0) throw new ModelError(`${path}: has become shorter since it was opened; copy the file again`);
    done += read;
  }
}
