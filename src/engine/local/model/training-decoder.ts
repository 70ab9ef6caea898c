import type { Value } from '../compiler/onnx/graph-builder.ts';
import type { Tape } from '../compiler/tape.ts';
import { architectureOf, parameterShapes } from './architectures.ts';
import type { DecoderOps, HeadNorms, Projection } from './decoder-ops.ts';
import { hasBias } from './decoder-parts.ts';
import type { ModelConfig } from './model-config.ts';
import { declareRotary, type RotaryTable, rotaryOf } from './rope.ts';
import { causalMask, type HeadIndices, headIndices, type RowInputs } from './rows.ts';

/** What a forward pass reads beside the parameters. */
export type TrainingInputs = RowInputs & {
  /** int64 `[rows]`. */
  readonly tokens: Value;
  /** int64 `[asked]`: the rows whose logits are wanted. */
  readonly asked: Value;
};

/** Declares the parameters as inputs of the graph, under their Hugging Face names. */
export function declareParameters(tape: Tape, config: ModelConfig): void {
  for (const { name, shape } of parameterShapes(config)) tape.graph.input(name, 'float32', shape);
}

/** Logits `[asked, vocabulary]` of a decoder on a tape, so that gradients can be had of them. */
export function trainingLogits(tape: Tape, config: ModelConfig, inputs: TrainingInputs): Value {
  const ops = new TrainingOps(tape, config, inputs);
  const { layer } = architectureOf(config);
  let stream = tape.apply('pick', ['model.embed_tokens.weight', inputs.tokens], {});
  for (let at = 0; at < config.layers; at++) stream = layer(ops, at, stream);
  const asked = tape.apply('pick', [stream, inputs.asked], {});
  const normed = ops.norm(asked, 'model.norm', config.hiddenSize);
  return ops.project(normed, headOf(config));
}

/** The output projection. */
function headOf({ tiedEmbedding, hiddenSize, vocabSize }: ModelConfig): Projection {
  return { name: tiedEmbedding ? 'model.embed_tokens' : 'lm_head', from: hiddenSize, to: vocabSize };
}

/** The decoder's operations on a tape. */
class TrainingOps implements DecoderOps {
  readonly config: ModelConfig;
  readonly #tape: Tape;
  readonly #indices: HeadIndices;
  readonly #mask: Value;
  readonly #rotary: readonly RotaryTable[];
  /** The position of the first token. */
  readonly #start: Value;

  constructor(tape: Tape, config: ModelConfig, inputs: TrainingInputs) {
    this.config = config;
    this.#tape = tape;
    this.#mask = causalMask(tape.graph, config, inputs);
    this.#indices = headIndices(tape.graph, config, inputs);
    this.#rotary = declareRotary(tape.graph, config);
    this.#start = tape.graph.integers([0]);
  }

  norm(x: Value, gain: string, width: number): Value {
    return this.#tape.apply('rmsNorm', [x, `${gain}.weight`], { width, epsilon: this.config.normEpsilon });
  }

  project(x: Value, ...projections: readonly Projection[]): Value {
    const sizes = { from: projections[0]!.from, to: projections.reduce((sum, { to }) => sum + to, 0) };
    const weight = this.#stacked(projections, 'weight');
    if (!hasBias(this.config, projections[0]!.name)) return this.#tape.apply('linear', [x, weight], sizes);
    return this.#tape.apply('biasedLinear', [x, weight, this.#stacked(projections, 'bias')], sizes);
  }

  projectOnto(stream: Value, x: Value, projection: Projection): Value {
    const { name, from, to } = projection;
    return this.#tape.apply('residualLinear', [x, `${name}.weight`, stream], { from, to });
  }

  gated(gate: Value, up: Value): Value {
    return this.#tape.apply('swiglu', [gate, up], {});
  }

  attend(layer: number, projected: Value, headNorms?: HeadNorms): Value {
    const { heads, keyValueHeads, headSize: size } = this.config;
    const { queries, keys, values, home } = this.#indices;
    const width = (heads + 2 * keyValueHeads) * size;
    const split = this.#tape.applyAll('splitHeads', [projected, queries, keys, values], { width, size });
    const turned = this.#turned(layer, split[0]!, headNorms?.query);
    const turnedKeys = this.#turned(layer, split[1]!, headNorms?.key);
    const [apart, folded] = [
      [0, heads, -1, size],
      [0, keyValueHeads, -1, size],
    ];
    const rows = this.#tape.apply('reshape', [turned], { shape: folded, before: apart });
    const scale = { scale: this.config.scoreScale };
    const attended = this.#tape.apply('attend', [rows, turnedKeys, split[2]!, this.#mask], scale);
    const unfolded = this.#tape.apply('reshape', [attended], { shape: apart, before: folded });
    return this.#tape.apply('joinHeads', [unfolded, home], { heads, size });
  }

  /** Rows that nobody asked for are dropped at the end. */
  asked(_layer: number, rows: Value): Value {
    return rows;
  }

  /** Queries or keys, normed where the family does, and turned where the layer does. */
  #turned(layer: number, x: Value, gain: string | undefined): Value {
    const normed = gain === undefined ? x : this.norm(x, gain, this.config.headSize);
    const table = rotaryOf(this.config, this.#rotary, layer);
    if (table === undefined) return normed;
    return this.#tape.apply('rotary', [normed, this.#start, table.cos, table.sin], {});
  }

  #stacked(projections: readonly Projection[], kind: 'weight' | 'bias'): Value {
    const names = projections.map(({ name }) => `${name}.${kind}`);
    if (names.length === 1) return names[0]!;
    return this.#tape.apply('stack', names, { heights: projections.map(({ to }) => to) });
  }
}
