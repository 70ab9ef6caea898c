import type { Value } from './onnx/graph-builder.ts';
import type { Branch, Tape } from './tape.ts';

/** A weight `[to, from]` under its name, and a bias `[to]` where there is one. */
export type Matrix = {
  readonly weight: Value;
  readonly bias?: Value | undefined;
  readonly from: number;
  readonly to: number;
};

/** Rows times the transpose of a weight, plus its branch where it has one. @param onto rows to add it to. */
export function project(tape: Tape, x: Value, { weight, bias, ...sizes }: Matrix, onto?: Value): Value {
  const straight = straightProduct(tape, x, { weight, bias, ...sizes }, onto);
  const branch = tape.branches.get(weight);
  if (branch === undefined) return straight;
  const low = reduced(tape, x, branch, sizes.from);
  return tape.apply('residualLinear', [low, branch.b, straight], { from: branch.rank, to: sizes.to });
}

function straightProduct(tape: Tape, x: Value, { weight, bias, ...sizes }: Matrix, onto: Value | undefined): Value {
  if (onto !== undefined) {
    const sum = tape.apply('residualLinear', [x, weight, onto], sizes);
    return bias === undefined ? sum : tape.apply('bias', [sum, bias], {});
  }
  if (bias !== undefined) return tape.apply('biasedLinear', [x, weight, bias], sizes);
  return tape.apply('linear', [x, weight], sizes);
}

/** scale x A', `[rows, rank]`. */
export function reduced(tape: Tape, x: Value, { a, rank, scale }: Branch, from: number): Value {
  return tape.apply('scale', [tape.apply('linear', [x, a], { from, to: rank })], { by: scale });
}

/**
 * Projections of the same rows, side by side. Weights that are trained are stacked into one product; those of an adapted
 * model stay apart, because a stack of frozen ones would be a copy of them.
 */
export function projectAll(tape: Tape, x: Value, parts: readonly Matrix[]): Value {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return project(tape, x, first);
  const widths = parts.map(({ to }) => to);
  if (tape.branches.size > 0) {
    const projected = parts.map((part) => project(tape, x, part));
    return tape.apply('beside', projected, { widths });
  }
  const stack = (values: readonly Value[]) => tape.apply('stack', values, { heights: widths });
  const weight = stack(parts.map((part) => part.weight));
  const biases = parts.flatMap(({ bias }) => (bias === undefined ? [] : [bias]));
  const bias = biases.length > 0 ? stack(biases) : undefined;
  return project(tape, x, { weight, bias, from: parts[0]!.from, to: widths.reduce((sum, width) => sum + width, 0) });
}
