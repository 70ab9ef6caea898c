import type { Activation } from './activations.ts';

/** The heads of attention: all that caches, masks and rows need to know about a model. */
export type AttentionShape = {
  readonly heads: number;
  /** Fewer than `heads` is grouped-query attention; divides `heads`. */
  readonly keyValueHeads: number;
  readonly headSize: number;
  /** Scale of attention scores: 1 / sqrt(head size) in most families. */
  readonly scoreScale: number;
};

/** One set of rotary tables (Su et al. 2021). */
export type Rope = {
  /** One per rotated pair of dimensions, in radians per position. */
  readonly frequencies: readonly number[];
  /** Factor of cosines and sines: 1 unless the context was stretched by YaRN or LongRoPE. */
  readonly scale: number;
};

/** How the attention of one layer uses positions. */
export type LayerSight = {
  /** Index of the rotary table that rotates queries and keys; absent means none (NoPE). */
  readonly rope?: number | undefined;
  /** Sliding window: how many tokens a token sees, itself included; absent means the whole text. */
  readonly window?: number | undefined;
};

/** The shape of a decoder as an {@link Architecture} reads it from `config.json`: plain data, the same for all families. */
export type ModelConfig = AttentionShape & {
  /** The class in transformers, which names the architecture. */
  readonly architecture: string;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly activation: Activation;
  readonly normEpsilon: number;
  /** Added to the stored gains of norms: 1 in Gemma, else 0. */
  readonly gainOffset: number;
  /** Factor of the embeddings: sqrt(hidden size) in Gemma, else 1. */
  readonly embeddingScale: number;
  /** Cap of the logits, cap tanh(logit / cap); absent means none. */
  readonly logitCap?: number | undefined;
  /** The output projection is the embedding. */
  readonly tiedEmbedding: boolean;
  /** Projections with a bias, by the last part of their names. */
  readonly biased: readonly string[];
  readonly ropes: readonly Rope[];
  /** One entry a layer. */
  readonly sights: readonly LayerSight[];
  readonly maxPositions: number;
  /** Standard deviation of fresh weights. */
  readonly initializerRange: number;
  /** The fields of `config.json` as they were read, to be written again on export. */
  readonly huggingFace: Readonly<Record<string, unknown>>;
};

export type ParameterShape = { readonly name: string; readonly shape: readonly number[] };
