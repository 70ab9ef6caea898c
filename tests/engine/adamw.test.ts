import { describe, expect, test } from 'vitest';
import { accumulate, adamStep, globalNorm, initialAdamState } from '../../src/engine/local/policy/adamw.ts';

const adam = { learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0 };

describe('AdamW', () => {
  test('the first step is the learning rate in the direction of the sign, whatever the size', () => {
    const weights = Float32Array.of(1, 1, 1);
    const gradient = Float32Array.of(1e-3, -7, 0);
    adamStep(weights, gradient, initialAdamState(3), adam, globalNorm(gradient));
    expect(weights[0]).toBeCloseTo(0.9, 5);
    expect(weights[1]).toBeCloseTo(1.1, 5);
    expect(weights[2]).toBe(1);
  });

  test('decay is not a part of the gradient: without one, weights shrink by learning rate times decay', () => {
    const weights = Float32Array.of(2, -3);
    const state = initialAdamState(2);
    adamStep(weights, new Float32Array(2), state, { ...adam, weightDecay: 0.5 }, 0);
    expect([...weights]).toEqual([Math.fround(1.9), Math.fround(-2.85)]);
    expect([...state.mean, ...state.square]).toEqual([0, 0, 0, 0]);
  });

  test('clipping scales the whole gradient to the norm, and only a longer one', () => {
    const gradient = Float32Array.of(3, 4);
    const moments = (clipNorm: number) => {
      const state = initialAdamState(2);
      adamStep(new Float32Array(2), gradient, state, { ...adam, clipNorm }, globalNorm(gradient));
      return [...state.mean].map((value) => value / (1 - adam.beta1));
    };
    expect(moments(1)[0]).toBeCloseTo(0.6, 5);
    expect(moments(1)[1]).toBeCloseTo(0.8, 5);
    expect(moments(6)[1]).toBeCloseTo(4, 5);
  });

  test('ten steps follow the published recursion in double precision', () => {
    const weights = Float32Array.of(0.3);
    const state = initialAdamState(1);
    let [expected, mean, square] = [0.3, 0, 0];
    for (let step = 1; step <= 10; step++) {
      const slope = Math.fround(Math.sin(step));
      adamStep(weights, Float32Array.of(slope), state, { ...adam, weightDecay: 0.01 }, Math.abs(slope));
      mean = 0.9 * mean + 0.1 * slope;
      square = 0.99 * square + 0.01 * slope ** 2;
      const [unbiased, spread] = [mean / (1 - 0.9 ** step), square / (1 - 0.99 ** step)];
      expected -= 0.1 * (unbiased / (Math.sqrt(spread) + 1e-8) + 0.01 * expected);
    }
    expect(state.step).toBe(10);
    expect(weights[0]).toBeCloseTo(expected, 5);
  });
});

describe('accumulation', () => {
  test('adds in place and tells a sum that is not finite', () => {
    const sum = Float32Array.of(1, 2);
    expect(accumulate(sum, Float32Array.of(0.5, -2))).toBe(true);
    expect([...sum]).toEqual([1.5, 0]);
    expect(accumulate(Float32Array.of(1, 2), Float32Array.of(Number.NaN, 0))).toBe(false);
    expect(accumulate(Float32Array.of(1, 2), Float32Array.of(0, -Infinity))).toBe(false);
    expect(accumulate(Float32Array.of(3e38), Float32Array.of(3e38))).toBe(false);
  });
});
