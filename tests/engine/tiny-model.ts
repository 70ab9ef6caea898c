import type { LlamaConfig } from '../../src/engine/local/model/llama-config.ts';

/** A Llama that takes no time. */
export const tinyConfig: LlamaConfig = {
  vocabSize: 11,
  hiddenSize: 8,
  intermediateSize: 12,
  layers: 2,
  heads: 4,
  keyValueHeads: 2,
  headSize: 4,
  ropeTheta: 100,
  normEpsilon: 1e-6,
  tiedEmbedding: true,
  queryKeyNorm: false,
  queryKeyValueBias: false,
  maxPositions: 32,
};
