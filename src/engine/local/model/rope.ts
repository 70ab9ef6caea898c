import type { GraphBuilder, Value } from '../compiler/onnx/graph-builder.ts';
import { floats, type Tensors } from '../runtime/host-tensor.ts';
import type { ModelConfig, Rope } from './model-config.ts';

/** Cosines and sines `[positions, pairs]` of one rotary table, as inputs of a graph. */
export type RotaryTable = { readonly cos: Value; readonly sin: Value };

const inputsOf = (nth: number): RotaryTable => ({ cos: `cos${nth}`, sin: `sin${nth}` });

/** Declares all rotary tables of the model, which {@link rotaryTables} feeds. */
export function declareRotary(graph: GraphBuilder, { ropes }: ModelConfig): RotaryTable[] {
  return ropes.map(({ frequencies }, nth) => {
    const { cos, sin } = inputsOf(nth);
    const shape = ['positions', frequencies.length];
    return { cos: graph.input(cos, 'float32', shape), sin: graph.input(sin, 'float32', shape) };
  });
}

/** How many dimensions of a head its layer's rotary table turns; 0 where it has none. */
export function turnedSize({ ropes, sights }: ModelConfig, layer: number): number {
  const rope = sights[layer]?.rope;
  return rope === undefined ? 0 : 2 * (ropes[rope]?.frequencies.length ?? 0);
}

/** The table that turns the heads of this layer; undefined where nothing does. */
export function rotaryOf(
  { sights }: ModelConfig,
  tables: readonly RotaryTable[],
  layer: number,
): RotaryTable | undefined {
  const rope = sights[layer]?.rope;
  return rope === undefined ? undefined : tables[rope];
}

const tablesOf = new WeakMap<ModelConfig, { readonly rows: number; readonly tensors: Tensors }>();

/**
 * The model's rotary tables for at least this many positions. Computing them takes longer than a short run does, so
 * they are kept, and doubled when they are too short.
 */
export function rotaryTables(config: ModelConfig, positions: number): Tensors {
  const kept = tablesOf.get(config);
  if (kept !== undefined && kept.rows >= positions) return kept.tensors;
  const rows = 2 ** Math.ceil(Math.log2(positions));
  const tensors = Object.assign({}, ...config.ropes.map((rope, nth) => tableOf(rope, nth, rows))) as Tensors;
  tablesOf.set(config, { rows, tensors });
  return tensors;
}

function tableOf({ frequencies, scale }: Rope, nth: number, rows: number): Tensors {
  const pairs = frequencies.length;
  const [cos, sin] = [new Float32Array(rows * pairs), new Float32Array(rows * pairs)];
  for (let at = 0; at < cos.length; at++) {
    const angle = Math.floor(at / pairs) * frequencies[at % pairs]!; // a frequency for each pair
    cos[at] = scale * Math.cos(angle);
    sin[at] = scale * Math.sin(angle);
  }
  const names = inputsOf(nth);
  return { [names.cos]: floats(cos, [rows, pairs]), [names.sin]: floats(sin, [rows, pairs]) };
}
