import type { Datum, Loss } from '../../engine/engine.ts';

/**
 * A server that takes the mean over all sequences of a step of each one's mean over its tokens still gives sums, if it is
 * asked in other words. Its policy losses divide by the length alone, so advantages are made larger by length and count;
 * and cross entropy, which it would divide by the sum of the weights, is `cispo` with the ratio held at 1, whose slope is
 * that of -A log p for any A, negative ones and zero sums included.
 * @param count of sequences of the whole step.
 */
export function asMeans(batch: readonly Datum[], loss: Loss, count: number): { batch: Datum[]; loss: Loss } {
  return {
    batch: batch.map((datum) => larger(datum, loss, datum.input.length * count)),
    loss: loss.kind === 'cross_entropy' ? { kind: 'cispo', low: 1, high: 1 } : loss,
  };
}

function larger({ input, targets, weights, logprobs, advantages }: Datum, { kind }: Loss, factor: number): Datum {
  const slopes = kind === 'cross_entropy' ? (weights ?? input.map(() => 1)) : advantages!; // checked before
  return {
    input,
    targets,
    logprobs: kind === 'cross_entropy' ? input.map(() => 0) : logprobs!,
    advantages: slopes.map((slope) => slope * factor),
  };
}

/** For logprobs alone: the weights are then of no consequence, if only their sum is above 0. */
export function asGlance(batch: readonly Datum[]): { batch: Datum[]; loss: Loss } {
  return { batch: batch.map(({ input, targets }) => ({ input, targets })), loss: { kind: 'cross_entropy' } };
}
