import { describe, expect, it } from 'vitest';
import { runningSumFamily as family } from '../../src/problems/running-sum-family.ts';
import { stream } from '../../src/random.ts';
import { ownPrefix } from '../../src/wrong-turns/own-prefix.ts';
import { makePair } from '../../src/wrong-turns/pair.ts';
import { repeatedStep } from '../../src/wrong-turns/repeated-step.ts';
import { roleSwap } from '../../src/wrong-turns/role-swap.ts';
import { asked, putIntoMouth, shownByUser } from '../../src/wrong-turns/turns.ts';
import { habit, rightWork, wrongWork } from '../../src/wrong-turns/wrong-work.ts';

const draws = stream(1, 'pairs');
const problem = family.drawTest(draws);

describe('a counterfactual pair', () => {
  it('differs in the role alone when the role is swapped', () => {
    const work = family.reply(wrongWork(family, problem, draws));
    const { control, treated } = roleSwap(family, problem, work);
    const part = (side: typeof control, key: 'text' | 'role') => side.conversation.map((turn) => turn[key]);
    expect(part(control, 'text')).toEqual(part(treated, 'text'));
    expect(part(control, 'role')).toEqual(['user', 'user', 'user']);
    expect(part(treated, 'role')).toEqual(['user', 'assistant', 'user']);
  });

  it('refuses a role swap in which a byte has changed', () => {
    const sides = [
      [asked('p'), shownByUser('1')],
      [asked('p'), putIntoMouth('2')],
    ] as const;
    expect(() => makePair('p', 'role', ...sides)).toThrow(/more than their role/);
  });

  it('refuses a history swap in which the problem has changed', () => {
    const sides = [
      [asked('p'), putIntoMouth('1')],
      [asked('q'), putIntoMouth('2')],
    ] as const;
    expect(() => makePair('p', 'text', ...sides)).toThrow(/more than their text/);
  });

  it('refuses sides that do not differ', () => {
    const side = [asked('p'), putIntoMouth('1')];
    expect(() => makePair('p', 'text', side, side)).toThrow(/do not differ/);
  });

  it('refuses words that were lost on the way into shards', () => {
    expect(() => makePair('p', 'delivery', [asked('a1|ab')], [asked('a1|a'), asked('+c')])).toThrow(/delivery/);
  });

  it('has histories of equal length', () => {
    const right = rightWork(family, problem, draws, 3);
    const { control, treated } = ownPrefix(
      family,
      problem,
      right,
      family.work(problem, habit(family, draws), draws, 3),
    );
    expect(control.conversation.at(-1)!.text).toHaveLength(9);
    expect(treated.conversation.at(-1)!.text).toHaveLength(9);
  });

  it('repeats the last step and nothing else', () => {
    const steps = rightWork(family, problem, draws, 2);
    const { control, treated } = repeatedStep(family, problem, steps, 4);
    expect(treated.conversation.at(-1)!.text).toBe(control.conversation.at(-1)!.text + steps[1]!.text.repeat(3));
  });
});
