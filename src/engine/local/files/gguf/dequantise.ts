import { GGMLQuantizationType } from '@huggingface/gguf';
import { FLOAT16, widenBfloat16, widenFloat16 } from '../half-floats.ts';

/**
 * @file The number formats of GGUF files, as float32: the same bits as by llama.cpp's own reader, the Python package
 * `gguf`. Scales have 11 bits and what they are multiplied by no more than 13, so that only the last step of each formula
 * rounds, here in 64 bits and there in 32, to the same number.
 */

/** A format: blocks of `weights` numbers in `bytes` bytes. */
export type BlockFormat = {
  readonly name: string;
  readonly weights: number;
  readonly bytes: number;
  /** Fills `target` from whole blocks. */
  decode(blocks: Uint8Array, target: Float32Array): void;
};

/** Decodes the block that begins at byte `from` into `target` from place `to`. */
type DecodeBlock = (blocks: Uint8Array, from: number, target: Float32Array, to: number) => void;

function blockwise(name: string, weights: number, bytes: number, decodeBlock: DecodeBlock): BlockFormat {
  const decode = (blocks: Uint8Array, target: Float32Array): void => {
    for (let block = 0; block * bytes < blocks.length; block++) {
      decodeBlock(blocks, block * bytes, target, block * weights);
    }
  };
  return { name, weights, bytes, decode };
}

/** A byte that the caller knows to be there. */
const byte = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;

const signed = (bytes: Uint8Array, at: number): number => (byte(bytes, at) << 24) >> 24;

const half = (bytes: Uint8Array, at: number): number => FLOAT16[byte(bytes, at) | (byte(bytes, at + 1) << 8)] ?? 0;

/** 16-bit numbers of a buffer that may begin at an odd byte. */
const halves = (bytes: Uint8Array): Uint16Array => new Uint16Array(bytes.slice().buffer);

/** Thirty-two weights: a scale, and a byte each. */
const q8_0 = blockwise('Q8_0', 32, 34, (blocks, from, target, to) => {
  const scale = half(blocks, from);
  for (let at = 0; at < 32; at++) target[to + at] = scale * signed(blocks, from + 2 + at);
});

/** Four bits a weight: the lower halves of sixteen bytes are the first sixteen weights, the upper halves the others. */
const nibble = (blocks: Uint8Array, from: number, at: number): number =>
  at < 16 ? byte(blocks, from + at) & 15 : byte(blocks, from + at - 16) >> 4;

/** The fifth bit of weight `at`, out of four bytes. */
const fifth = (blocks: Uint8Array, from: number, at: number): number =>
  ((byte(blocks, from + (at >> 3)) >> (at & 7)) & 1) << 4;

const q4_0 = blockwise('Q4_0', 32, 18, (blocks, from, target, to) => {
  const scale = half(blocks, from);
  for (let at = 0; at < 32; at++) target[to + at] = scale * (nibble(blocks, from + 2, at) - 8);
});

const q4_1 = blockwise('Q4_1', 32, 20, (blocks, from, target, to) => {
  const scale = half(blocks, from);
  const least = half(blocks, from + 2);
  for (let at = 0; at < 32; at++) target[to + at] = scale * nibble(blocks, from + 4, at) + least;
});

const q5_0 = blockwise('Q5_0', 32, 22, (blocks, from, target, to) => {
  const scale = half(blocks, from);
  for (let at = 0; at < 32; at++) {
    target[to + at] = scale * ((nibble(blocks, from + 6, at) | fifth(blocks, from + 2, at)) - 16);
  }
});

const q5_1 = blockwise('Q5_1', 32, 24, (blocks, from, target, to) => {
  const scale = half(blocks, from);
  const least = half(blocks, from + 2);
  for (let at = 0; at < 32; at++) {
    target[to + at] = scale * (nibble(blocks, from + 8, at) | fifth(blocks, from + 4, at)) + least;
  }
});

/** The scale and the offset of group `group` of eight, six bits each, packed into twelve bytes from `from`. */
function groupScale(blocks: Uint8Array, from: number, group: number): readonly [scale: number, least: number] {
  const low = byte(blocks, from + (group & 3));
  const middle = byte(blocks, from + 4 + (group & 3));
  if (group < 4) return [low & 63, middle & 63];
  const high = byte(blocks, from + 4 + group);
  return [(high & 15) | ((low >> 2) & 48), (high >> 4) | ((middle >> 2) & 48)];
}

/** Eight groups of thirty-two weights, each pair of groups in thirty-two bytes of halves. */
const q4_k = blockwise('Q4_K', 256, 144, (blocks, from, target, to) => {
  const [scale, least] = [half(blocks, from), half(blocks, from + 2)];
  for (let group = 0; group < 8; group++) {
    const [groupStep, groupLeast] = groupScale(blocks, from + 4, group);
    for (let at = 0; at < 32; at++) {
      const packed = byte(blocks, from + 16 + 32 * (group >> 1) + at);
      target[to + 32 * group + at] = scale * groupStep * ((packed >> (4 * (group & 1))) & 15) - least * groupLeast;
    }
  }
});

/** As Q4_K, with the fifth bits of all groups in thirty-two bytes of their own. */
const q5_k = blockwise('Q5_K', 256, 176, (blocks, from, target, to) => {
  const [scale, least] = [half(blocks, from), half(blocks, from + 2)];
  for (let group = 0; group < 8; group++) {
    const [groupStep, groupLeast] = groupScale(blocks, from + 4, group);
    for (let at = 0; at < 32; at++) {
      const low = (byte(blocks, from + 48 + 32 * (group >> 1) + at) >> (4 * (group & 1))) & 15;
      const high = (byte(blocks, from + 16 + at) >> group) & 1;
      target[to + 32 * group + at] = scale * groupStep * (low | (high << 4)) - least * groupLeast;
    }
  }
});

/** Sixteen groups of sixteen weights: lower four bits, upper two bits, scales of a byte, and the scale of the scales. */
const q6_k = blockwise('Q6_K', 256, 210, (blocks, from, target, to) => {
  const scale = half(blocks, from + 208);
  for (let at = 0; at < 256; at++) {
    const [part, row, column] = [at >> 7, (at >> 5) & 3, at & 31];
    const low = (byte(blocks, from + 64 * part + 32 * (row & 1) + column) >> (4 * (row >> 1))) & 15;
    const high = (byte(blocks, from + 128 + 32 * part + column) >> (2 * row)) & 3;
    target[to + at] = scale * signed(blocks, from + 192 + (at >> 4)) * ((low | (high << 4)) - 32);
  }
});

const f32: BlockFormat = {
  name: 'F32',
  weights: 1,
  bytes: 4,
  decode: (blocks, target) => target.set(new Float32Array(blocks.slice().buffer)),
};

const f16: BlockFormat = {
  name: 'F16',
  weights: 1,
  bytes: 2,
  decode: (blocks, target) => widenFloat16(halves(blocks), target),
};

const bf16: BlockFormat = {
  name: 'BF16',
  weights: 1,
  bytes: 2,
  decode: (blocks, target) => widenBfloat16(halves(blocks), target),
};

/** By the number that a GGUF file names them with. */
export const BLOCK_FORMATS: ReadonlyMap<number, BlockFormat> = new Map([
  [GGMLQuantizationType.F32, f32],
  [GGMLQuantizationType.F16, f16],
  [GGMLQuantizationType.BF16, bf16],
  [GGMLQuantizationType.Q8_0, q8_0],
  [GGMLQuantizationType.Q4_0, q4_0],
  [GGMLQuantizationType.Q4_1, q4_1],
  [GGMLQuantizationType.Q5_0, q5_0],
  [GGMLQuantizationType.Q5_1, q5_1],
  [GGMLQuantizationType.Q4_K, q4_k],
  [GGMLQuantizationType.Q5_K, q5_k],
  [GGMLQuantizationType.Q6_K, q6_k],
]);
