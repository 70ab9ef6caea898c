import type { Estimate } from './estimate.ts';
import type { Interval } from './interval.ts';

/**
 * The interval of `to - from`, from their own two intervals by squaring and adding (Newcombe 1998, Stat. Med. 17:873,
 * method 10; Zou & Donner 2008). It takes the two as independent: where they were measured on the same problems and go
 * together, it is wider than the paired interval.
 */
export function differenceInterval(from: Estimate, to: Estimate): Interval {
  const value = to.value - from.value;
  return {
    low: value - Math.hypot(to.value - to.low, from.high - from.value),
    high: value + Math.hypot(to.high - to.value, from.value - from.low),
  };
}
