import { ModelError } from '../../../../errors.ts';
import type { StreamedTensor } from '../safetensors.ts';
import { type GgufArchitecture, type Heads, headsOf, huggingFaceName } from './architectures.ts';
import type { GgufFile, GgufTensor } from './gguf-file.ts';
import { LONG_FACTORS, ROPE_FACTORS, SHORT_FACTORS } from './rope-scaling.ts';

/** Tensors that the config speaks for. */
const IMPLIED = new Set([ROPE_FACTORS, SHORT_FACTORS, LONG_FACTORS]);

/** About as many numbers are in memory at a time: 16 MB. */
const PORTION = 2 ** 22;

/**
 * The tensors of a GGUF file under their Hugging Face names, dequantised to float32 a few rows at a time.
 * @throws ModelError naming the first tensor that is not known.
 */
export function importedTensors(file: GgufFile, architecture: GgufArchitecture): StreamedTensor[] {
  const heads = headsOf(file.metadata, architecture);
  const stored = [...file.tensors.values()].filter(({ name }) => !IMPLIED.has(name));
  return stored.map((tensor) => {
    const name = huggingFaceName(tensor.name, architecture);
    if (name === undefined) {
      throw new ModelError(
        `${file.metadata.path}: ${tensor.name} is unknown; a ${architecture.name} has no such tensor`,
      );
    }
    return { name, shape: tensor.shape, portions: () => portionsOf(file, tensor, name, { ...architecture, ...heads }) };
  });
}

function portionsOf(
  file: GgufFile,
  tensor: GgufTensor,
  name: string,
  { interleaved, gainOffset = 0, headSize }: GgufArchitecture & Heads,
): AsyncGenerator<Float32Array> {
  if (interleaved && /\.[qk]_proj\./.test(name)) return apart(file, upright(tensor), headSize);
  return gainOffset !== 0 && name.endsWith('norm.weight') ? lowered(file, tensor, gainOffset) : plain(file, tensor);
}

/** A vector as a column. */
const upright = (tensor: GgufTensor): GgufTensor =>
  tensor.shape.length === 1 ? { ...tensor, rows: tensor.width, width: tensor.rows } : tensor;

async function* lowered(file: GgufFile, tensor: GgufTensor, offset: number): AsyncGenerator<Float32Array> {
  for await (const portion of plain(file, tensor)) yield portion.map((gain) => gain - offset);
}

async function* plain(file: GgufFile, tensor: GgufTensor): AsyncGenerator<Float32Array> {
  const rows = Math.max(1, Math.floor(PORTION / tensor.width));
  for (let from = 0; from < tensor.rows; from += rows) {
    yield file.read(tensor, from, Math.min(rows, tensor.rows - from));
  }
}

/** Head by head: the file has rows 0, half, 1, half + 1, ... of each. */
async function* apart(file: GgufFile, tensor: GgufTensor, headSize: number): AsyncGenerator<Float32Array> {
  for (let from = 0; from < tensor.rows; from += headSize) {
    const mixed = await file.read(tensor, from, headSize);
    const head = new Float32Array(mixed.length);
    for (let row = 0; row < headSize; row++) {
      const place = (row >> 1) + (row & 1) * (headSize / 2);
      head.set(mixed.subarray(row * tensor.width, (row + 1) * tensor.width), place * tensor.width);
    }
    yield head;
  }
}
