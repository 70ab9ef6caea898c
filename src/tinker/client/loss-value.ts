import type { Datum, Loss } from '../../engine/engine.ts';

/** The formulas of {@link Loss} on logprobs that a server has given: for servers that do not say what the loss was. */
export function lossValue(batch: readonly Datum[], loss: Loss, logprobs: readonly Float32Array[]): number {
  return batch.reduce((sum, datum, index) => {
    return sum + logprobs[index]!.reduce((all, logprob, at) => all + tokenLoss(loss, datum, at, logprob), 0);
  }, 0);
}

function tokenLoss(loss: Loss, { weights, logprobs, advantages }: Datum, at: number, logprob: number): number {
  if (loss.kind === 'cross_entropy') return times(-(weights?.[at] ?? 1), logprob);
  const advantage = advantages![at]!; // data are checked before they are sent
  if (advantage === 0) return 0;
  const sampled = logprobs![at]!;
  const ratio = Math.exp(logprob - sampled);
  switch (loss.kind) {
    case 'importance_sampling':
      return -ratio * advantage;
    case 'ppo':
      return -Math.min(ratio * advantage, clip(ratio, loss) * advantage);
    case 'cispo':
      return -clip(ratio, loss) * advantage * logprob;
    case 'dro':
      return 0.5 * loss.beta * (logprob - sampled) ** 2 - advantage * logprob;
  }
}

const clip = (ratio: number, { low, high }: { low: number; high: number }): number => {
  return Math.min(high, Math.max(low, ratio));
};

/** An impossible token of weight 0 costs nothing. */
const times = (weight: number, logprob: number): number => (weight === 0 ? 0 : weight * logprob);
