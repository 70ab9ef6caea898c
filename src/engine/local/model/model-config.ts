import type { Activation } from './activations.ts';

/** How many heads attention has, and how wide they are: all that caches, masks and rows need to know of a model. */
export type AttentionShape = {
  readonly heads: number;
  /** Fewer than `heads` is grouped-query attention; divides `heads`. */
  readonly keyValueHeads: number;
  readonly headSize: number;
  /** What a query times a key is multiplied by. */
  readonly scoreScale: number;
};

/** One set of rotary tables (Su et al. 2021). */
export type Rope = {
  /** Radians a position, one for each pair of dimensions that turns. */
  readonly frequencies: readonly number[];
  /** What cosines and sines are multiplied by; 1 unless the context was stretched by YaRN. */
  readonly scale: number;
};

/** What the attention of one layer sees of positions. */
export type LayerSight = {
  /** Which of the model's rotary tables turns queries and keys; absent means none does. */
  readonly rope?: number | undefined;
  /** Tokens that a token sees, itself included; absent means all before it. */
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
  /** What is added to the gains of norms as they are stored; 1 in Gemma. */
  readonly gainOffset: number;
  /** What embeddings are multiplied by. */
  readonly embeddingScale: number;
  /** Logits are cap tanh(logit / cap). */
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
  /** The fields of `config.json` as they were read, for whoever writes the model again. */
  readonly huggingFace: Readonly<Record<string, unknown>>;
};

export type ParameterShape = { readonly name: string; readonly shape: readonly number[] };
