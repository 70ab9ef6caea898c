import { describe, expect, it } from 'vitest';
import { isHeldOut } from '../../src/problems/held-out.ts';
import { RIGHT } from '../../src/problems/problem-family.ts';
import {
  careful,
  drawOnSide,
  misconception,
  type RunningSum,
  solve,
  stepsText,
  workSteps,
} from '../../src/problems/running-sum.ts';
import { runningSumFamily as family } from '../../src/problems/running-sum-family.ts';
import { stream } from '../../src/random.ts';

const problem: RunningSum = { keys: 'abcde', values: [3, 7, 9, 0, 4], list: 'cabed' };

describe('the running sum', () => {
  it('is solved by restating the sum modulo ten', () => {
    expect(stepsText(solve(problem))).toBe('c99a32b79e43d03');
  });

  it('carries a misconception through every step', () => {
    expect(stepsText(workSteps(problem, () => misconception(1)))).toBe('c90a34b72e47d08');
  });

  it('judges a step by the problem and by what was written before it', () => {
    const reading = family.read(problem, 'c99a33b70e44d04:4');
    expect(reading.steps.map(({ right }) => right)).toEqual([true, false, false, false, false]);
    expect(reading.steps.map(({ locallyRight }) => locallyRight)).toEqual([true, false, true, true, true]);
    expect(reading.answerRight).toBe(false);
  });

  it('reads fillers, steps taken back, marks and a verdict', () => {
    expect(family.read(problem, 'c99.a33!a32b79e43d03:3').answerRight).toBe(true);
    const checked = family.read(problem, 'c99a33b70e44d04~c99=a32!b79!e43!d03!:3Y');
    expect(checked.marks).toEqual(['right', 'wrong', 'wrong', 'wrong', 'wrong']);
    expect(checked.answerRight).toBe(true);
  });

  it.each(['', ':', '3', 'c99a32b79e43d03', 'c99a32b79e43d03:', ':33', 'answer:3.', 'c99a32b79e43d03:3:4', ':3N '])(
    'finds no right answer in %j',
    (text) => expect(family.read(problem, text).answerRight).toBe(false),
  );

  it('does not take a step out of order for a right one', () => {
    const swapped = workSteps(problem, () => careful, { list: 'acbed' });
    expect(
      family
        .read(problem, `${stepsText(swapped)}:3`)
        .steps.slice(0, 2)
        .map((step) => step.right),
    ).toEqual([false, false]);
  });

  it('grades its own solutions right and its own wrong turns wrong, on a thousand problems', () => {
    const draws = stream(1, 'family');
    for (let index = 0; index < 1000; index++) {
      const drawn = family.drawTest(draws);
      const right = family.work(drawn, () => RIGHT, draws);
      expect(family.read(drawn, family.reply(right)).answerRight).toBe(true);
      expect(right.every((step) => step.right && step.locallyRight)).toBe(true);
      const at = draws.integer(5);
      for (const what of family.slips) {
        const wrong = family.work(drawn, (step) => (step === at ? { kind: 'slip', what } : RIGHT), draws);
        expect(wrong.findIndex((step) => !step.right)).toBe(at);
        expect(wrong.filter((step) => !step.locallyRight)).toHaveLength(1);
      }
      const waved = family.read(drawn, family.wavedThrough(right));
      expect(waved.marks).toEqual(['right', 'right', 'right', 'right', 'right']);
    }
  });

  it('says the same words in shards as all at once', () => {
    const draws = stream(2, 'shards');
    const { turns, joined } = family.shards(problem, draws);
    expect(turns).toHaveLength(3);
    expect(turns.join('').replaceAll('+', '')).toBe(family.prompt(problem));
    expect(joined.replaceAll('+', '')).toBe(family.prompt(problem));
  });
});

describe('the split', () => {
  it('keeps test problems out of training by construction', () => {
    const draws = stream(3, 'split');
    for (let index = 0; index < 500; index++) {
      expect(isHeldOut(family.id(drawOnSide(draws, { keys: 5, list: 5 }, false)))).toBe(false);
      expect(isHeldOut(family.id(family.drawTest(draws)))).toBe(true);
    }
  });

  it('holds out about a sixteenth', () => {
    const ids = Array.from({ length: 8000 }, (_, index) => `problem ${index}`);
    expect(ids.filter(isHeldOut).length / ids.length).toBeCloseTo(1 / 16, 1.9);
  });
});
