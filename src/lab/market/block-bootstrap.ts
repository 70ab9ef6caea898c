import { stream } from '../../random.ts';

export type Gain = { readonly value: number; readonly low: number; readonly high: number; readonly p: number };

const DRAWS = 2000;

/**
 * Mean gain a day with a 95 % interval from blocks of days in a row (moving-block bootstrap; Kuensch 1989): neighbours go
 * together, for volatility comes in clusters. `p` is two-sided against no gain.
 */
export function blockGain(gains: readonly number[], block = 20, seed = 1): Gain {
  const blocks = gains.length - block + 1;
  const draws = stream(seed, 'block bootstrap');
  const sums = prefixSums(gains);
  const count = Math.ceil(gains.length / block);
  const means = Array.from({ length: DRAWS }, () => {
    let sum = 0;
    for (let drawn = 0; drawn < count; drawn++) {
      const from = draws.integer(blocks);
      sum += (sums[from + block] ?? 0) - (sums[from] ?? 0);
    }
    return sum / (count * block);
  }).sort((a, b) => a - b);
  const below = means.filter((mean) => mean <= 0).length / DRAWS;
  const at = (share: number) => means[Math.min(DRAWS - 1, Math.floor(share * DRAWS))] ?? 0;
  return {
    value: (sums.at(-1) ?? 0) / gains.length,
    low: at(0.025),
    high: at(0.975),
    p: Math.max(1 / DRAWS, 2 * Math.min(below, 1 - below)),
  };
}

function prefixSums(values: readonly number[]): number[] {
  const sums = [0];
  for (const value of values) sums.push((sums.at(-1) ?? 0) + value);
  return sums;
}
