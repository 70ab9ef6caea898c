import type { Value } from '../compiler/onnx/graph-builder.ts';
import type { Tape } from '../compiler/tape.ts';
import { type LlamaConfig, parameterShapes } from './llama-config.ts';
import { causalMask, type HeadIndices, headIndices, type RowInputs } from './rows.ts';

/** What a forward pass reads beside the parameters. */
export type LlamaInputs = RowInputs & {
  /** int64 `[rows]`. */
  readonly tokens: Value;
  /** int64 `[asked]`: the rows whose logits are wanted. */
  readonly asked: Value;
};

/** Declares the parameters as inputs of the graph, under their Hugging Face names. */
export function declareParameters(tape: Tape, config: LlamaConfig): void {
  for (const { name, shape } of parameterShapes(config)) tape.graph.input(name, 'float32', shape);
}

/** Logits `[asked, vocabulary]` of a Llama decoder (Touvron et al. 2023), Qwen's switches included. */
export function llamaLogits(tape: Tape, config: LlamaConfig, inputs: LlamaInputs): Value {
  const width = config.hiddenSize;
  const mask = causalMask(tape.graph, config, inputs);
  const constants = { mask, ...headIndices(tape.graph, config, inputs), ...rotaryTables(tape, config) };
  let hidden = tape.apply('pick', ['model.embed_tokens.weight', inputs.tokens], {});
  for (let layer = 0; layer < config.layers; layer++) {
    hidden = decoderLayer(tape, config, `model.layers.${layer}`, hidden, constants);
  }
  const asked = tape.apply('pick', [hidden, inputs.asked], {});
  const normed = rmsNorm(tape, config, asked, 'model.norm.weight', width);
  const head = config.tiedEmbedding ? 'model.embed_tokens.weight' : 'lm_head.weight';
  return tape.apply('linear', [normed, head], { from: width, to: config.vocabSize });
}

type RotaryTables = { readonly position: Value; readonly cos: Value; readonly sin: Value };

type Constants = HeadIndices & RotaryTables & { readonly mask: Value };

function decoderLayer(tape: Tape, config: LlamaConfig, at: string, hidden: Value, constants: Constants): Value {
  const { hiddenSize, intermediateSize, heads, headSize } = config;
  const before = rmsNorm(tape, config, hidden, `${at}.input_layernorm.weight`, hiddenSize);
  const mixed = attention(tape, config, `${at}.self_attn`, before, constants);
  const output = { from: heads * headSize, to: hiddenSize };
  const attended = tape.apply('residualLinear', [mixed, `${at}.self_attn.o_proj.weight`, hidden], output);
  const between = rmsNorm(tape, config, attended, `${at}.post_attention_layernorm.weight`, hiddenSize);
  const inner = gatedUnits(tape, config, `${at}.mlp`, between);
  const down = { from: intermediateSize, to: hiddenSize };
  return tape.apply('residualLinear', [inner, `${at}.mlp.down_proj.weight`, attended], down);
}

/** `[rows, width]` to `[rows, heads * size]`. */
function attention(tape: Tape, config: LlamaConfig, at: string, x: Value, constants: Constants): Value {
  const { heads, keyValueHeads, headSize: size } = config;
  const width = (heads + 2 * keyValueHeads) * size;
  const projected = projectedHeads(tape, config, at, x, width);
  const indices = [constants.queries, constants.keys, constants.values];
  const [queries, keys, values] = tape.applyAll('splitHeads', [projected, ...indices], { width, size });
  const turned = rotated(tape, config, `${at}.q_norm.weight`, queries!, constants);
  const turnedKeys = rotated(tape, config, `${at}.k_norm.weight`, keys!, constants);
  const apart = [0, heads, -1, size];
  const folded = [0, keyValueHeads, -1, size];
  const rows = tape.apply('reshape', [turned], { shape: folded, before: apart });
  const attended = tape.apply('attend', [rows, turnedKeys, values!, constants.mask], { scale: size ** -0.5 });
  const unfolded = tape.apply('reshape', [attended], { shape: apart, before: folded });
  return tape.apply('joinHeads', [unfolded, constants.home], { heads, size });
}

/** Queries, keys and values of all heads side by side. */
function projectedHeads(tape: Tape, config: LlamaConfig, at: string, x: Value, width: number): Value {
  const { heads, keyValueHeads, headSize, hiddenSize } = config;
  const heights = [heads, keyValueHeads, keyValueHeads].map((count) => count * headSize);
  const stacked = (kind: string) => {
    const parts = ['q', 'k', 'v'].map((which) => `${at}.${which}_proj.${kind}`);
    return tape.apply('stack', parts, { heights });
  };
  const sizes = { from: hiddenSize, to: width };
  if (config.queryKeyValueBias) return tape.apply('biasedLinear', [x, stacked('weight'), stacked('bias')], sizes);
  return tape.apply('linear', [x, stacked('weight')], sizes);
}

/** Queries or keys: normalised per head where the family does (Qwen3), rotated. */
function rotated(tape: Tape, config: LlamaConfig, gain: string, x: Value, { position, cos, sin }: RotaryTables): Value {
  const normed = config.queryKeyNorm ? rmsNorm(tape, config, x, gain, config.headSize) : x;
  return tape.apply('rotary', [normed, position, cos, sin], {});
}

function gatedUnits(tape: Tape, config: LlamaConfig, at: string, x: Value): Value {
  const wider = { from: config.hiddenSize, to: config.intermediateSize };
  const gate = tape.apply('linear', [x, `${at}.gate_proj.weight`], wider);
  const up = tape.apply('linear', [x, `${at}.up_proj.weight`], wider);
  return tape.apply('swiglu', [gate, up], {});
}

function rmsNorm(tape: Tape, config: LlamaConfig, x: Value, gain: string, width: number): Value {
  return tape.apply('rmsNorm', [x, gain], { width, epsilon: config.normEpsilon });
}

/** Cosines and sines `[positions, size / 2]`, and the position of the first token. */
function rotaryTables(tape: Tape, config: LlamaConfig): RotaryTables {
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
