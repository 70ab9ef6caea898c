import { type FileHandle, open } from 'node:fs/promises';
import { GGUFValueType, serializeGgufMetadata } from '@huggingface/gguf';
import { writing } from '../../../../disk/write.ts';
import type { WrittenFormat } from './quantise.ts';

/** A value of a GGUF file's metadata with its type. */
export type GgufValue = {
  readonly value: string | number | boolean | string[] | number[];
  readonly type: GGUFValueType;
  readonly subType?: GGUFValueType;
};

export const text = (value: string): GgufValue => ({ value, type: GGUFValueType.STRING });
export const count = (value: number): GgufValue => ({ value, type: GGUFValueType.UINT32 });
export const real = (value: number): GgufValue => ({ value, type: GGUFValueType.FLOAT32 });
export const flag = (value: boolean): GgufValue => ({ value, type: GGUFValueType.BOOL });
export const texts = (value: string[]): GgufValue => ({
  value,
  type: GGUFValueType.ARRAY,
  subType: GGUFValueType.STRING,
});
export const counts = (value: number[]): GgufValue => ({
  value,
  type: GGUFValueType.ARRAY,
  subType: GGUFValueType.INT32,
});

/** A tensor to write; `shape` as Hugging Face has it, rows first. */
export type WrittenTensor = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly format: WrittenFormat;
  readonly data: Float32Array;
};

const ALIGNMENT = 32;
const VERSION = 3;

/** Numbers are encoded so many at a time: 16 MB of float32, a multiple of every block. */
const PORTION = 2 ** 22;

/**
 * Writes a GGUF file.
 * @param progress is called with the share that is written, in [0, 1].
 * @throws RunError where the file system refuses.
 */
export async function writeGguf(
  path: string,
  metadata: Readonly<Record<string, GgufValue>>,
  tensors: readonly WrittenTensor[],
  progress: (share: number) => void,
): Promise<void> {
  const total = tensors.reduce((sum, { data }) => sum + data.length, 0);
  let written = 0;
  await writing(path, async () => {
    const file = await open(path, 'w');
    try {
      await file.writeFile(padded(Buffer.concat([header(metadata, tensors.length), tensorList(tensors)])));
      for (const tensor of tensors) {
        await writeTensor(file, tensor);
        written += tensor.data.length;
        progress(written / total);
      }
    } finally {
      await file.close();
    }
  });
}

function header(metadata: Readonly<Record<string, GgufValue>>, tensors: number): Uint8Array {
  const typed = {
    version: { value: VERSION, type: GGUFValueType.UINT32 },
    tensor_count: { value: BigInt(tensors), type: GGUFValueType.UINT64 },
    kv_count: { value: BigInt(Object.keys(metadata).length), type: GGUFValueType.UINT64 },
    ...metadata,
  } as Parameters<typeof serializeGgufMetadata>[0]; // the library's type knows the keys of some architectures only
  return serializeGgufMetadata(typed, { alignment: 1 });
}

/** Name, shape with the width first, type and place of each tensor. */
function tensorList(tensors: readonly WrittenTensor[]): Uint8Array {
  let offset = 0n;
  const entries = tensors.map(({ name, shape, format, data }) => {
    const bytes = Buffer.from(name);
    const entry = Buffer.alloc(8 + bytes.length + 4 + 8 * shape.length + 4 + 8);
    let at = entry.writeBigUInt64LE(BigInt(bytes.length));
    at += bytes.copy(entry, at);
    at = entry.writeUInt32LE(shape.length, at);
    for (const side of [...shape].reverse()) at = entry.writeBigUInt64LE(BigInt(side), at);
    at = entry.writeUInt32LE(format.type, at);
    entry.writeBigUInt64LE(offset, at);
    offset += BigInt(aligned((data.length / format.weights) * format.bytes));
    return entry;
  });
  return Buffer.concat(entries);
}

async function writeTensor(file: FileHandle, { format, data }: WrittenTensor): Promise<void> {
  let bytes = 0;
  for (let at = 0; at < data.length; at += PORTION) {
    const encoded = format.encode(data.subarray(at, at + PORTION));
    await file.writeFile(encoded);
    bytes += encoded.length;
  }
  await file.writeFile(new Uint8Array(aligned(bytes) - bytes));
}

const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

const padded = (bytes: Uint8Array): Uint8Array =>
  Buffer.concat([bytes, new Uint8Array(aligned(bytes.length) - bytes.length)]);
