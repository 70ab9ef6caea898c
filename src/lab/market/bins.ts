/** Bins of a return: half of them below zero, half above, so that a token says direction and size apart. */
export const BINS = 8;

/** Edges between the bins from the training days alone: each side of zero in four equal parts. */
export function binEdges(train: readonly number[]): readonly number[] {
  const side = (values: readonly number[]) => {
    const sorted = [...values].sort((a, b) => a - b);
    return [0.25, 0.5, 0.75].map((share) => sorted[Math.floor(share * sorted.length)] ?? 0);
  };
  return [...side(train.filter((value) => value < 0)), 0, ...side(train.filter((value) => value >= 0))];
}

export const binOf = (value: number, edges: readonly number[]): number => edges.filter((edge) => value >= edge).length;

/** A distribution over the bins of a day, and what happened: bits of all, of the direction, and of the size given the direction. */
export function bitsOf(probabilities: ArrayLike<number>, bin: number): { all: number; sign: number; size: number } {
  const up = bin >= BINS / 2;
  let same = 0;
  for (let other = 0; other < BINS; other++) if (other >= BINS / 2 === up) same += probabilities[other] ?? 0;
  const own = probabilities[bin] ?? 0;
  return { all: -Math.log2(own), sign: -Math.log2(same), size: -Math.log2(own / same) };
}
