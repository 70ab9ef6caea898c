import { describe, expect, it } from 'vitest';
import type { CustomLoss } from '../../src/engine/custom-loss.ts';
import { stream } from '../../src/random.ts';
import { moved, sharpen } from '../../src/stages/distil.ts';
import { adamAt } from '../../src/stages/optimiser.ts';
import { groupAdvantages, klEstimate } from '../../src/stages/reinforce.ts';
import { softTargets } from '../../src/stages/replay.ts';
import { priceSchema, reward } from '../../src/stages/reward.ts';
import { marginLoss } from '../../src/stages/unloop.ts';

describe('the reward', () => {
  const price = priceSchema.parse({ falseAlarm: 0.5, miss: 0.25, wrongStep: 0.1 });
  const table = [
    [true, false, false, 0, 1],
    [false, false, false, 0, 0],
    [true, true, false, 0, 0.5],
    [true, false, true, 0, 0.75],
    [true, true, true, 0, 0.25],
    [false, true, true, 0, -0.75],
    [true, false, false, 1, 0.9],
    [true, false, false, 2, 0.8],
    [true, false, false, 7, 0.8], // beyond two they cost no more
    [false, true, true, 2, -0.95],
  ] as const;

  it.each(table)('of a right answer %s, false alarm %s, miss %s and %i wrong steps is %d', (...row) => {
    const [answerRight, falseAlarm, miss, newWrongSteps, expected] = row;
    const grade = { answerRight, falseAlarm, miss, newWrongSteps };
    expect(reward(grade, price, true)).toBeCloseTo(expected, 12);
    expect(reward(grade, price, false)).toBe(0); // it did not come to its end
  });
});

describe('advantages', () => {
  it('add up to 0, keep the order of the rewards, and are 0 where a group agrees', () => {
    const rewards = [1, 0.4, -0.5, 1, 0];
    const advantages = groupAdvantages(rewards);
    expect(advantages.reduce((sum, one) => sum + one)).toBeCloseTo(0, 12);
    expect(advantages[0]! - advantages[2]!).toBeCloseTo(1.5, 12);
    expect(groupAdvantages([0.3, 0.3, 0.3])).toEqual([0, 0, 0]);
  });
});

describe('custom losses', () => {
  const draws = stream(3, 'logprobs');
  const logprobs = Array.from({ length: 8 }, () => Float32Array.from({ length: 5 }, () => -6 * draws.uniform()));

  it.each([
    ['no pair is wide enough', 10],
    ['some pairs are', 0.5],
    ['all are', -10],
  ])('the margin has the gradient of central differences where %s', (_, margin) => {
    expectGradient(marginLoss({ margin, weight: 0.3 }), logprobs);
  });

  it('the margin pushes the chosen token up and the rejected one down, and leaves a wide pair alone', () => {
    const pair = (chosen: number, rejected: number) => [Float32Array.of(0, chosen), Float32Array.of(0, rejected)];
    const narrow = marginLoss({ margin: 2, weight: 1 })(pair(-3, -1));
    expect(narrow.loss).toBeCloseTo(4, 6);
    expect(narrow.gradients).toEqual([
      [0, -1],
      [0, 1],
    ]);
    expect(marginLoss({ margin: 2, weight: 1 })(pair(-1, -4))).toMatchObject({ loss: 0 });
  });
});

const H = 1e-3;

function expectGradient(loss: CustomLoss, at: readonly Float32Array[]): void {
  const { gradients } = loss(at);
  for (const [row, tokens] of at.entries()) {
    for (const column of tokens.keys()) {
      const moved = (by: number) =>
        loss(at.map((one, index) => (index === row ? one.with(column, one[column]! + by) : one))).loss;
      expect(gradients[row]![column]).toBeCloseTo((moved(H) - moved(-H)) / (2 * H), 2);
    }
  }
}

describe('the teacher', () => {
  const soft = { tokens: Int32Array.of(1, 2, 3, 4), probabilities: Float32Array.of(0.8, 0.2, 0.5, 0.25), k: 2 };

  it('is sharpened to p^(1/T), each position for itself, and adds up to 1', () => {
    const { probabilities } = sharpen(soft, 0.5);
    const wanted = [0.64 / 0.68, 0.04 / 0.68, 0.8, 0.2];
    for (const [at, probability] of probabilities.entries()) expect(probability).toBeCloseTo(wanted[at]!, 6);
    expect(sharpen(soft, 1).probabilities[0]).toBeCloseTo(0.8, 6);
  });

  it('stands where the student wrote, though its own prompt was of another length', () => {
    const { tokens, probabilities } = moved(soft, 1, 3);
    expect([...tokens]).toEqual([0, 0, 0, 0, 3, 4]);
    expect([...probabilities]).toEqual([0, 0, 0, 0, 0.5, 0.25]);
    expect([...sharpen({ tokens, probabilities, k: 2 }, 0.5).probabilities.slice(0, 4)]).toEqual([0, 0, 0, 0]);
  });

  it('is handed over by position', () => {
    const top = { tokens: Int32Array.of(5, 6, 7, 8), logprobs: Float32Array.of(Math.log(0.7), -1, -2, -3), k: 2 };
    const { tokens, probabilities, k } = softTargets(top, 1);
    expect([[...tokens], k]).toEqual([[5, 6], 2]);
    expect(probabilities[0]).toBeCloseTo(0.7, 6);
  });
});

describe('the divergence from the reference', () => {
  it('is 0 where both agree and above it elsewhere, whichever is the likelier', () => {
    expect(klEstimate([{ own: [-1, -2], reference: [-1, -2] }])).toBe(0);
    expect(klEstimate([{ own: [-1], reference: [-2] }])).toBeCloseTo(Math.exp(-1) - 1 + 1, 12);
    expect(klEstimate([{ own: [-2], reference: [-1] }])).toBeCloseTo(Math.E - 1 - 1, 12);
  });
});

describe('the rate of AdamW', () => {
  const options = { steps: 100, learningRate: 1e-3, warmup: 10, hold: 0.5, floor: 0.1 };
  const rateAt = (step: number, changes = {}) => adamAt(step, { ...options, ...changes }).learningRate;

  it('rises to the whole, holds, and falls to the floor', () => {
    expect(rateAt(0)).toBeCloseTo(1e-4, 12);
    expect(rateAt(9)).toBeCloseTo(1e-3, 12);
    expect(rateAt(50)).toBeCloseTo(1e-3, 12);
    expect(rateAt(75)).toBeCloseTo(5e-4, 12);
    expect(rateAt(99)).toBeCloseTo(1e-4, 12); // the floor
    expect(rateAt(0, { warmup: 0 })).toBeCloseTo(1e-3, 12);
    expect(rateAt(99, { hold: 1 })).toBeCloseTo(1e-3, 12);
    expect(rateAt(0, { steps: 1, warmup: 0 })).toBeCloseTo(1e-3, 12);
    expect(rateAt(99, { floor: 0 })).toBeCloseTo(2e-5, 12);
  });
});
