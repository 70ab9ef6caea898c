/** The shape of a Llama-family decoder. Qwen2 and Qwen3 are the same with a switch set. */
export type LlamaConfig = {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  /** Fewer than `heads` is grouped-query attention; divides `heads`. */
  readonly keyValueHeads: number;
  readonly headSize: number;
  readonly ropeTheta: number;
  readonly normEpsilon: number;
  /** The output projection is the embedding. */
  readonly tiedEmbedding: boolean;
  /** Qwen3: RMSNorm on each head's query and key. */
  readonly queryKeyNorm: boolean;
  /** Qwen2: biases on the query, key and value projections. */
  readonly queryKeyValueBias: boolean;
  readonly maxPositions: number;
};

export type ParameterShape = { readonly name: string; readonly shape: readonly number[] };

/** Every parameter under its Hugging Face name, in the order in which they lie in the flat weight array. */
export function parameterShapes(config: LlamaConfig): readonly ParameterShape[] {
  const { vocabSize, hiddenSize, layers } = config;
  const layerShapes = Array.from({ length: layers }, (_, layer) => layerParameters(config, `model.layers.${layer}`));
  return [
    { name: 'model.embed_tokens.weight', shape: [vocabSize, hiddenSize] },
    ...layerShapes.flat(),
    { name: 'model.norm.weight', shape: [hiddenSize] },
    ...(config.tiedEmbedding ? [] : [{ name: 'lm_head.weight', shape: [vocabSize, hiddenSize] }]),
  ];
}

/** Projections are `[out, in]`, as Hugging Face stores them. */
function layerParameters(config: LlamaConfig, at: string): readonly ParameterShape[] {
  const { hiddenSize, intermediateSize, headSize } = config;
  const queries = config.heads * headSize;
  const keys = config.keyValueHeads * headSize;
  const bias = [
    { name: `${at}.self_attn.q_proj.bias`, shape: [queries] },
    { name: `${at}.self_attn.k_proj.bias`, shape: [keys] },
    { name: `${at}.self_attn.v_proj.bias`, shape: [keys] },
  ];
  const norm = [
    { name: `${at}.self_attn.q_norm.weight`, shape: [headSize] },
    { name: `${at}.self_attn.k_norm.weight`, shape: [headSize] },
  ];
  return [
    { name: `${at}.input_layernorm.weight`, shape: [hiddenSize] },
    { name: `${at}.self_attn.q_proj.weight`, shape: [queries, hiddenSize] },
    { name: `${at}.self_attn.k_proj.weight`, shape: [keys, hiddenSize] },
    { name: `${at}.self_attn.v_proj.weight`, shape: [keys, hiddenSize] },
    ...(config.queryKeyValueBias ? bias : []),
    ...(config.queryKeyNorm ? norm : []),
    { name: `${at}.self_attn.o_proj.weight`, shape: [hiddenSize, queries] },
    { name: `${at}.post_attention_layernorm.weight`, shape: [hiddenSize] },
    { name: `${at}.mlp.gate_proj.weight`, shape: [intermediateSize, hiddenSize] },
    { name: `${at}.mlp.up_proj.weight`, shape: [intermediateSize, hiddenSize] },
    { name: `${at}.mlp.down_proj.weight`, shape: [hiddenSize, intermediateSize] },
  ];
}
