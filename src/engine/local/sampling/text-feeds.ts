import type { TokenIds } from '../../engine.ts';
import { rotaryAngles } from '../model/llama.ts';
import type { LlamaConfig } from '../model/llama-config.ts';
import { floats, type HostTensor, integers, type Tensors } from '../runtime/host-tensor.ts';

/**
 * What the decoder reads of texts, padded on the right to the longest: inputs of `declareText`. The padding sees garbage
 * and is seen by nothing before it.
 * @param positions that the run needs.
 */
export function textFeeds(texts: readonly TokenIds[], config: LlamaConfig, positions: number): Tensors {
  const { heads, keyValueHeads, headSize } = config;
  const time = Math.max(...texts.map((text) => text.length));
  const tokens = new Int32Array(texts.length * time);
  texts.forEach((text, nth) => {
    tokens.set(text, nth * time);
  });
  return {
    tokens: integers(tokens),
    split: integers([texts.length, time, heads + 2 * keyValueHeads, headSize]),
    causalMask: causalMask(time, heads / keyValueHeads),
    ...rotaryTables(config, positions),
  };
}

/** `[group * time, time]`: each row sees itself and what stands before it. */
function causalMask(time: number, group: number): HostTensor {
  const data = new Float32Array(group * time * time);
  for (let row = 0; row < group * time; row++) data.fill(-1e9, row * time + (row % time) + 1, (row + 1) * time);
  return floats(data, [group * time, time]);
}

const rotaryTablesOf = new WeakMap<LlamaConfig, Tensors>();

/** At least so many rows; computing them takes longer than short runs do, so they are kept, and doubled when too few. */
function rotaryTables(config: LlamaConfig, positions: number): Tensors {
  const kept = rotaryTablesOf.get(config);
  if (kept !== undefined && kept.cos!.shape[0]! >= positions) return kept;
  const rows = 2 ** Math.ceil(Math.log2(positions));
  const angles = rotaryAngles({ ...config, maxPositions: rows });
  const shape = [rows, config.headSize / 2];
  const tables = {
    cos: floats(Float32Array.from(angles, Math.cos), shape),
    sin: floats(Float32Array.from(angles, Math.sin), shape),
  };
  rotaryTablesOf.set(config, tables);
  return tables;
}
