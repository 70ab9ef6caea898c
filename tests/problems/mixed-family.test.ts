import { expect, it } from 'vitest';
import { openFamily } from '../../src/problems/families.ts';
import { mixedFamily } from '../../src/problems/mixed-family.ts';
import type { ProblemFamily } from '../../src/problems/problem-family.ts';
import { validate } from '../../src/problems/validate.ts';
import { stream } from '../../src/random.ts';
import { trainingSide } from '../../src/recipe/open-family.ts';
import { drawChallenged, drawWork } from '../../src/wrong-turns/draw-start.ts';
import { grade } from '../../src/wrong-turns/grade.ts';
import { wantedBehind } from '../../src/wrong-turns/wanted.ts';

const mixed = mixedFamily([
  { family: openFamily('word-problem'), share: 3 },
  { family: openFamily('multiplication'), share: 1 },
]) as ProblemFamily<unknown>;

it('draws from its families in their shares, on either side of the split', () => {
  const draws = stream(1, 'mixed');
  const ids = Array.from({ length: 400 }, () => mixed.id(mixed.drawTest(draws)));
  expect(ids.filter((id) => id.startsWith('How many')).length / 400).toBeCloseTo(0.75, 1);
  const training = Array.from({ length: 100 }, () => mixed.id(trainingSide(mixed).drawTraining(draws)));
  expect(training.some((id) => ids.includes(id))).toBe(false);
});

it('grades its own work, wrong turns of every family included', () => {
  const { checks } = validate(mixed, 60, 1);
  expect(checks.filter(({ failed }) => failed > 0)).toEqual([]);
});

it('wants of each problem what its own family wants', () => {
  for (let seed = 0; seed < 30; seed++) {
    const draws = stream(seed, 'wanted');
    for (const start of [drawWork(trainingSide(mixed), draws, 'habit', 0.2), drawChallenged(trainingSide(mixed), draws, { own: 0.5, wrong: 0.5, waved: 0.5 })]) {
      const text = wantedBehind(mixed, start, draws)!.map((part) => part.text).join('');
      expect(grade(mixed, start, text)).toEqual({ answerRight: true, falseAlarm: false, miss: false, newWrongSteps: 0 });
    }
  }
}); // biome-ignore format: one statement a line

it('refuses notations that are not in words', () => {
  expect(() => mixedFamily([{ family: openFamily('running-sum'), share: 1 }])).toThrow(/not in words/);
});
