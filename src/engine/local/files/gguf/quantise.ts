import { GGMLQuantizationType } from '@huggingface/gguf';
import { narrowFloat16 } from '../half-floats.ts';

/** @file Float32 numbers in the formats that unrut writes, the same bytes as by llama.cpp. */

/** A format, and the number that llama.cpp has for it and for files that are mostly in it. */
export type WrittenFormat = {
  readonly type: GGMLQuantizationType;
  readonly weights: number;
  readonly bytes: number;
  encode(values: Float32Array): Uint8Array;
};

export const f32: WrittenFormat = {
  type: GGMLQuantizationType.F32,
  weights: 1,
  bytes: 4,
  encode: (values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
};

export const f16: WrittenFormat = {
  type: GGMLQuantizationType.F16,
  weights: 1,
  bytes: 2,
  encode: (values) => new Uint8Array(narrowFloat16(values).buffer),
};

const BLOCK = 32;

/** A scale and thirty-two signed bytes. */
export const q8_0: WrittenFormat = {
  type: GGMLQuantizationType.Q8_0,
  weights: BLOCK,
  bytes: BLOCK + 2,
  encode(values) {
    const blocks = new Uint8Array((values.length / BLOCK) * this.bytes);
    const view = new DataView(blocks.buffer);
    for (let block = 0; block * BLOCK < values.length; block++) {
      encodeBlock(values.subarray(block * BLOCK, (block + 1) * BLOCK), view, block * this.bytes);
    }
    return blocks;
  },
};

function encodeBlock(values: Float32Array, target: DataView, at: number): void {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  const scale = Float32Array.of(most / 127);
  const inverse = most === 0 ? 0 : Math.fround(1 / scale[0]!); // it has one
  target.setUint16(at, narrowFloat16(scale)[0]!, true); // and so has this
  for (let index = 0; index < values.length; index++) {
    target.setInt8(at + 2 + index, roundAway(Math.fround(values[index]! * inverse))); // index is within
  }
}

/** Halves away from zero, as C's `roundf`. */
const roundAway = (value: number): number => Math.sign(value) * Math.floor(Math.abs(value) + 0.5);

/** By the name of `--type`. `file` is `general.file_type`. */
export const EXPORT_TYPES = { F16: { format: f16, file: 1 }, Q8_0: { format: q8_0, file: 7 } } as const;
export type ExportType = keyof typeof EXPORT_TYPES;
