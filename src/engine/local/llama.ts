import { type LlamaConfig, parameterShapes } from './llama-config.ts';
import type { Value } from './onnx/graph-builder.ts';
import type { Tape } from './tape.ts';

/** What a forward pass reads beside the parameters. */
export type LlamaInputs = {
  /** int64 `[batch, time]`. */
  readonly tokens: Value;
  /** Added to the attention scores: float `[group * time, time]`, 0 where a row may look, very negative elsewhere. */
  readonly mask: Value;
};

/** Declares the parameters as inputs of the graph, under their Hugging Face names. */
export function declareParameters(tape: Tape, config: LlamaConfig): void {
  for (const { name, shape } of parameterShapes(config)) tape.graph.input(name, 'float32', shape);
}

/** Logits `[batch, time, vocabulary]` of a Llama decoder (Touvron et al. 2023), Qwen's switches included. */
export function llamaLogits(tape: Tape, config: LlamaConfig, inputs: LlamaInputs): Value {
  const width = config.hiddenSize;
  const constants = { ...inputs, ...rotaryTables(tape, config) };
  let hidden = tape.apply('embed', ['model.embed_tokens.weight', inputs.tokens], { width });
  for (let layer = 0; layer < config.layers; layer++) {
    hidden = decoderLayer(tape, config, `model.layers.${layer}`, hidden, constants);
  }
  const normed = rmsNorm(tape, config, hidden, 'model.norm.weight', width);
  const head = config.tiedEmbedding ? 'model.embed_tokens.weight' : 'lm_head.weight';
  return tape.apply('linear', [normed, head], { from: width, to: config.vocabSize });
}

type Constants = LlamaInputs & { readonly position: Value; readonly cos: Value; readonly sin: Value };

function decoderLayer(tape: Tape, config: LlamaConfig, at: string, hidden: Value, constants: Constants): Value {
  const width = config.hiddenSize;
  const before = rmsNorm(tape, config, hidden, `${at}.input_layernorm.weight`, width);
  const attended = tape.apply('add', [hidden, attention(tape, config, `${at}.self_attn`, before, constants)], {});
  const between = rmsNorm(tape, config, attended, `${at}.post_attention_layernorm.weight`, width);
  return tape.apply('add', [attended, feedForward(tape, config, `${at}.mlp`, between)], {});
}

function attention(tape: Tape, config: LlamaConfig, at: string, x: Value, constants: Constants): Value {
  const { heads, keyValueHeads, headSize, hiddenSize } = config;
  const groups = { heads, keyHeads: keyValueHeads, size: headSize };
  const queries = rotated(tape, config, at, 'q', x, heads, constants);
  const keys = rotated(tape, config, at, 'k', x, keyValueHeads, constants);
  const values = projected(tape, config, at, 'v', x, keyValueHeads);
  const folded = tape.apply('foldGroups', [queries], groups);
  const scores = tape.apply('scores', [folded, keys], { scale: headSize ** -0.5 });
  const weights = tape.apply('maskedSoftmax', [scores, constants.mask], {});
  const mixed = tape.apply('unfoldGroups', [tape.apply('mix', [weights, values], {})], groups);
  const joined = tape.apply('joinHeads', [mixed], { heads, size: headSize });
  return tape.apply('linear', [joined, `${at}.o_proj.weight`], { from: heads * headSize, to: hiddenSize });
}

/** Queries or keys: projected, normalised per head where the family does (Qwen3), rotated. */
function rotated(
  tape: Tape,
  config: LlamaConfig,
  at: string,
  which: 'q' | 'k',
  x: Value,
  heads: number,
  constants: Constants,
): Value {
  const split = projected(tape, config, at, which, x, heads);
  const gain = `${at}.${which}_norm.weight`;
  const normed = config.queryKeyNorm ? rmsNorm(tape, config, split, gain, config.headSize) : split;
  return tape.apply('rotary', [normed, constants.position, constants.cos, constants.sin], {});
}

/** `[batch, heads, time, size]`. */
function projected(
  tape: Tape,
  config: LlamaConfig,
  at: string,
  which: 'q' | 'k' | 'v',
  x: Value,
  heads: number,
): Value {
  const to = heads * config.headSize;
  const linear = tape.apply('linear', [x, `${at}.${which}_proj.weight`], { from: config.hiddenSize, to });
  const biased = config.queryKeyValueBias
    ? tape.apply('bias', [linear, `${at}.${which}_proj.bias`], { width: to })
    : linear;
  return tape.apply('splitHeads', [biased], { heads, size: config.headSize });
}

function feedForward(tape: Tape, config: LlamaConfig, at: string, x: Value): Value {
  const { hiddenSize, intermediateSize } = config;
  const wider = { from: hiddenSize, to: intermediateSize };
  const gate = tape.apply('linear', [x, `${at}.gate_proj.weight`], wider);
  const up = tape.apply('linear', [x, `${at}.up_proj.weight`], wider);
  const inner = tape.apply('swiglu', [gate, up], {});
  return tape.apply('linear', [inner, `${at}.down_proj.weight`], { from: intermediateSize, to: hiddenSize });
}

function rmsNorm(tape: Tape, config: LlamaConfig, x: Value, gain: string, width: number): Value {
  return tape.apply('rmsNorm', [x, gain], { width, epsilon: config.normEpsilon });
}

/** Cosines and sines `[positions, size / 2]`, and the position of the first token. */
function rotaryTables(tape: Tape, config: LlamaConfig): { position: Value; cos: Value; sin: Value } {
  const angles = rotaryAngles(config);
  const shape = [config.maxPositions, config.headSize / 2];
  return {
    position: tape.graph.integers([0]),
    cos: tape.graph.floats(angles.map(Math.cos), shape),
    sin: tape.graph.floats(angles.map(Math.sin), shape),
  };
}

/** Position times frequency, `[positions * size / 2]`, radians. */
export function rotaryAngles({ maxPositions, headSize, ropeTheta }: LlamaConfig): number[] {
  const half = headSize / 2;
  return Array.from(
    { length: maxPositions * half },
    (_, at) => Math.floor(at / half) / ropeTheta ** ((at % half) / half),
  );
}
