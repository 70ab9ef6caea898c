import type { Value } from '../compiler/onnx/graph-builder.ts';
import { type Matrix, project, projectAll } from '../compiler/projections.ts';
import type { Tape } from '../compiler/tape.ts';
import { architectureOf } from './architectures.ts';
import type { DecoderOps, HeadNorms, Projection } from './decoder-ops.ts';
import { hasBias } from './decoder-parts.ts';
import type { ModelConfig } from './model-config.ts';
import { declareRotary, type RotaryTable, rotaryOf, turnedSize } from './rope.ts';
import { causalMask, type HeadIndices, headIndices, type RowInputs } from './rows.ts';
import { windowsOf } from './window.ts';

/** What a forward pass reads beside the parameters. */
export type TrainingInputs = RowInputs & {
  /** int64 `[rows]`. */
  readonly tokens: Value;
};

/** What the head reads of some rows, `[asked, width]`, by their int64 numbers `[asked]`. */
export type HeadInput = (asked: Value) => Value;

/** A decoder on a tape, so that gradients can be had of it. */
export function trainingDecoder(tape: Tape, config: ModelConfig, inputs: TrainingInputs): HeadInput {
  const ops = new TrainingOps(tape, config, inputs);
  const { layer } = architectureOf(config);
  const embedded = tape.apply('pick', ['model.embed_tokens.weight', inputs.tokens], {});
  const { embeddingScale: by } = config;
  let stream = by === 1 ? embedded : tape.apply('scale', [embedded], { by });
  for (let at = 0; at < config.layers; at++) stream = layer(ops, at, stream);
  return (asked) => ops.norm(tape.apply('pick', [stream, asked], {}), 'model.norm', config.hiddenSize);
}

/** The decoder's operations on a tape. */
class TrainingOps implements DecoderOps {
  readonly config: ModelConfig;
  readonly #tape: Tape;
  readonly #indices: HeadIndices;
  /** By how far a layer looks back. */
  readonly #masks: ReadonlyMap<number | undefined, Value>;
  readonly #rotary: readonly RotaryTable[];
  /** The position of the first token. */
  readonly #start: Value;

  constructor(tape: Tape, config: ModelConfig, inputs: TrainingInputs) {
    this.config = config;
    this.#tape = tape;
    this.#masks = new Map(windowsOf(config).map((each) => [each, causalMask(tape.graph, config, inputs, each)]));
    this.#indices = headIndices(tape.graph, config, inputs);
    this.#rotary = declareRotary(tape.graph, config);
    this.#start = tape.graph.integers([0]);
  }

  norm(x: Value, gain: string, width: number): Value {
    const { normEpsilon: epsilon, gainOffset: by } = this.config;
    const stored = `${gain}.weight`;
    const shifted = by === 0 ? stored : this.#tape.apply('shift', [stored], { by });
    return this.#tape.apply('rmsNorm', [x, shifted], { width, epsilon });
  }

  project(x: Value, ...projections: readonly Projection[]): Value {
    return projectAll(
      this.#tape,
      x,
      projections.map((each) => this.#matrix(each)),
    );
  }

  projectOnto(stream: Value, x: Value, projection: Projection): Value {
    return project(this.#tape, x, this.#matrix(projection), stream);
  }

  add(stream: Value, update: Value): Value {
    return this.#tape.apply('add', [stream, update], {});
  }

  beside(parts: readonly Value[], widths: readonly number[]): Value {
    return this.#tape.apply('beside', parts, { widths });
  }

  apart(x: Value, widths: readonly number[]): readonly Value[] {
    return this.#tape.applyAll('apart', [x], { widths });
  }

  gated(gate: Value, up: Value): Value {
    return this.#tape.apply(this.config.activation === 'silu' ? 'swiglu' : 'geglu', [gate, up], {});
  }

  attend(layer: number, projected: Value, headNorms?: HeadNorms): Value {
    const { heads, keyValueHeads, headSize: size } = this.config;
    const { queries, keys, values, home } = this.#indices;
    const width = (heads + 2 * keyValueHeads) * size;
    const split = this.#tape.applyAll('splitHeads', [projected, queries, keys, values], { width, size });
    const turned = this.#turned(layer, heads, split[0]!, headNorms?.query);
    const turnedKeys = this.#turned(layer, keyValueHeads, split[1]!, headNorms?.key);
    const mask = this.#masks.get(this.config.sights[layer]?.window)!; // there is one for each window
    const [apart, folded] = [
      [0, heads, -1, size],
      [0, keyValueHeads, -1, size],
    ];
    const rows = this.#tape.apply('reshape', [turned], { shape: folded, before: apart });
    const scale = { scale: this.config.scoreScale };
    const attended = this.#tape.apply('attend', [rows, turnedKeys, split[2]!, mask], scale);
    const unfolded = this.#tape.apply('reshape', [attended], { shape: apart, before: folded });
    return this.#tape.apply('joinHeads', [unfolded, home], { heads, size });
  }

  /** Rows that nobody asked for are dropped at the end. */
  asked(_layer: number, rows: Value): Value {
    return rows;
  }

  /** Queries or keys, normed where the family does, and turned where the layer does. */
  #turned(layer: number, heads: number, x: Value, gain: string | undefined): Value {
    const normed = gain === undefined ? x : this.norm(x, gain, this.config.headSize);
    const table = rotaryOf(this.config, this.#rotary, layer);
    if (table === undefined) return normed;
    return this.#tape.apply('rotary', [normed, this.#start, table.cos, table.sin], {
      heads,
      turned: turnedSize(this.config, layer),
    });
  }

  #matrix({ name, from, to }: Projection): Matrix {
    const bias = hasBias(this.config, name) ? `${name}.bias` : undefined;
    return { weight: `${name}.weight`, bias, from, to };
  }
}
