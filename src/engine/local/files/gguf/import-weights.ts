import { ModelError } from '../../../../errors.ts';
import type { StreamedTensor } from '../safetensors.ts';
import { type GgufArchitecture, type Heads, headsOf, huggingFaceName } from './architectures.ts';
import type { GgufFile, GgufTensor } from './gguf-file.ts';

/** Tensors that the config speaks for. */
const IMPLIED = new Set(['rope_freqs.weight']);

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
    const name = huggingFaceName(tensor.name);
    if (name === undefined) {
      throw new ModelError(
        `${file.metadata.path}: ${tensor.name} is unknown; a ${architecture.name} has no such tensor`,
      );
    }
    const turned = architecture.interleaved && /\.[qk]_proj\./.test(name);
    return { name, shape: tensor.shape, portions: () => (turned ? heaped(file, tensor, heads) : plain(file, tensor)) };
  });
}

async function* plain(file: GgufFile, tensor: GgufTensor): AsyncGenerator<Float32Array> {
  const rows = Math.max(1, Math.floor(PORTION / tensor.width));
  for (let from = 0; from < tensor.rows; from += rows) {
    yield file.read(tensor, from, Math.min(rows, tensor.rows - from));
  }
}

/** Head by head: the file has rows 0, half, 1, half + 1, ... of each. */
async function* heaped(file: GgufFile, tensor: GgufTensor, { headSize }: Heads): AsyncGenerator<Float32Array> {
  for (let from = 0; from < tensor.rows; from += headSize) {
    const head = await file.read(tensor, from, headSize);
    const apart = new Float32Array(head.length);
    for (let row = 0; row < headSize; row++) {
      const place = (row >> 1) + (row & 1) * (headSize / 2);
      apart.set(head.subarray(row * tensor.width, (row + 1) * tensor.width), place * tensor.width);
    }
    yield apart;
  }
}
