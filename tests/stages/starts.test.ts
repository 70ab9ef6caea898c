import { describe, expect, it } from 'vitest';
import { FAMILIES, openFamily } from '../../src/problems/families.ts';
import { type ProblemFamily, RIGHT, workInProgress } from '../../src/problems/problem-family.ts';
import { runningSumFamily } from '../../src/problems/running-sum-family.ts';
import { type Stream, stream } from '../../src/random.ts';
import { trainingSide } from '../../src/recipe/open-family.ts';
import { drawTwin, leftOut, possibleArms } from '../../src/stages/distil-arms.ts';
import { lessonOptions, possibleShares } from '../../src/stages/lessons.ts';
import { possibleStarts, startShares } from '../../src/stages/start-shares.ts';
import {
  drawChallenged,
  drawRepeated,
  drawStart,
  drawWork,
  type OwnWork,
  ownErrorStart,
} from '../../src/wrong-turns/draw-start.ts';
import { grade } from '../../src/wrong-turns/grade.ts';
import { isMirror, openStart, type Start } from '../../src/wrong-turns/start.ts';
import { wantedBehind } from '../../src/wrong-turns/wanted.ts';

const running = trainingSide(runningSumFamily as ProblemFamily<unknown>);
const families = FAMILIES.map(({ name }) => trainingSide(openFamily(name)));
const DRAWS = 3000;

/** Three standard errors of a share. */
const within = (share: number, count = DRAWS) => 3 * Math.sqrt((share * (1 - share)) / count);

function shareOf(draw: (draws: Stream) => boolean): number {
  const draws = stream(7, 'shares');
  return Array.from({ length: DRAWS }, () => draw(draws)).filter(Boolean).length / DRAWS;
}

function ownWork(wrong: boolean): OwnWork {
  const problem = running.drawTraining(stream(2));
  const slip = (at: number) => (wrong && at === 1 ? ({ kind: 'slip', what: 'sum' } as const) : RIGHT);
  const steps = running.work(problem, slip, stream(3));
  const tokens = [...workInProgress(steps)].map((letter) => letter.charCodeAt(0));
  return { problem, steps, ends: steps.map((_, at) => 3 * (at + 1)), tokens };
}

describe('starts of rollouts', () => {
  const shares = startShares.parse({ clean: 3, oneSlip: 2, habitOrSlips: 1, ownError: 2, rightPrefix: 1, challenged: 3 });
  const total = Object.values(shares).reduce((sum, one) => sum + one);
  const drawn = (draws: Stream) => drawStart(running, draws, shares, [ownWork(true)], { own: 0.6, wrong: 0.3, waved: 0.3 });

  it.each([
    ['clean', 3, (start: Start<unknown>) => start.kind === 'clean'],
    ['own', 2, (start: Start<unknown>) => start.kind === 'own'],
    ['right prefix', 1, (start: Start<unknown>) => start.kind === 'right' && !start.challenged],
    ['challenged', 3, (start: Start<unknown>) => start.challenged],
    ['wrong prefix', 3, (start: Start<unknown>) => !start.challenged && ['slip', 'misconception'].includes(start.kind)],
  ])('are %s in their share', (_, share, is) => {
    const wanted = share / total;
    expect(Math.abs(shareOf((draws) => is(drawn(draws))) - wanted)).toBeLessThan(within(wanted));
  });

  it('have no own errors before there are any, and challenge in the shares asked for', () => {
    expect(shareOf((draws) => drawStart(running, draws, shares, [], { own: 0.6, wrong: 0.3, waved: 0.3 }).kind === 'own')).toBe(0);
    const challenged = (draws: Stream) => drawChallenged(running, draws, { own: 0.6, wrong: 0.3, waved: 0.3 });
    expect(Math.abs(shareOf((draws) => challenged(draws).saidBy === 'model') - 0.6)).toBeLessThan(within(0.6));
    expect(Math.abs(shareOf((draws) => challenged(draws).dose > 0) - 0.3)).toBeLessThan(within(0.3));
  });

  it('end with the first own wrong step, in its own tokens', () => {
    const own = ownWork(true);
    const start = ownErrorStart(running, own);
    expect(start.written.map(({ right }) => right)).toEqual([true, false]);
    expect(start.sampled).toEqual(own.tokens.slice(0, 6));
    expect(isMirror(start)).toBe(false);
  });

  it('are of the kinds that a family has', () => {
    const answerOnly = { ...running, check: undefined } as unknown as typeof running; // as own problems are
    expect(possibleStarts(answerOnly, shares, [])).toMatchObject({ oneSlip: 0, ownError: 0, clean: 3, challenged: 3 });
    const none = { ...answerOnly, slips: [] };
    expect(possibleStarts(none, shares, [])).toMatchObject({ challenged: 0 });
    expect(possibleStarts(none, shares, [ownWork(true)])).toMatchObject({ challenged: 3 });
    expect(() => possibleStarts(none, startShares.parse({ clean: 0 }), [])).toThrow(/"clean"/);
    const { shares: lessons } = lessonOptions.parse({});
    expect(possibleShares(answerOnly, lessons, [])).toMatchObject({ slips: 0, habit: 0, shards: 0, right: 0.2 });
    expect(() => possibleShares(answerOnly, { ...lessons, right: 0, challenged: 0 }, [])).toThrow(/give "right" a share/);
  });
}); // biome-ignore format: one claim a line

describe.each(families.map((family) => [family.name, family] as const))('the wanted continuation in %s', (_, family) => {
  const text = (start: Start<unknown>, draws: Stream) =>
    wantedBehind(family, start, draws)!.map((part) => part.text).join('');
  const graded = (start: Start<unknown>, draws: Stream) => grade(family, start, text(start, draws));
  const PERFECT = { answerRight: true, falseAlarm: false, miss: false, newWrongSteps: 0 };

  it.each(['right', 'slips', 'habit'] as const)('behind whole work (%s) finds every wrong step and no other', (kind) => {
    for (let seed = 0; seed < 20; seed++) {
      const draws = stream(seed, kind);
      expect(graded(drawWork(family, draws, kind, 0.3), draws)).toEqual(PERFECT);
    }
  });

  it('mends what is wrong after a challenge, keeps what is right, and says which it was', () => {
    for (let seed = 0; seed < 20; seed++) {
      const draws = stream(seed, 'challenged');
      const start = drawChallenged(family, draws, { own: 0.5, wrong: 0.5, waved: 0.3 });
      expect(graded(start, draws)).toEqual(PERFECT);
      const marks = wantedBehind(family, start, draws)!.filter(({ stress }) => stress === 'mark');
      if (marks.length > 0) expect(marks.map((mark) => mark.text)).toEqual([start.dose > 0 ? ' wrong' : ' right']);
    }
  });

  it('is worse graded where a mark is turned round', () => {
    const draws = stream(1, 'marks');
    const turned = (start: Start<unknown>, from: RegExp, to: string) =>
      grade(family, start, text(start, draws).replace(from, to));
    const right = drawWork(family, draws, 'right', 0);
    const wrong = drawWork(family, draws, 'habit', 0);
    const [yes, no] = family.name === 'running-sum' ? ['=', '!'] : [' right\n', ' wrong\n'];
    expect(turned(right, new RegExp(yes), no)).toMatchObject({ falseAlarm: true, miss: false });
    expect(turned(wrong, new RegExp(no), yes)).toMatchObject({ falseAlarm: false, miss: true });
  });

  it('goes on with the next step behind a repeated one', () => {
    const { treated, control } = drawRepeated(family, stream(4), 0);
    const [next] = wantedBehind(family, treated, stream(4))!;
    expect(next!.text).not.toBe(treated.written.at(-1)!.text);
    expect([isMirror(treated), isMirror(control)]).toEqual([false, true]);
    const whole = treated.written.length === family.length(treated.problem);
    if (!whole) expect(family.read(treated.problem, workInProgress(treated.written) + next!.text).steps.at(-1)!.right).toBe(true);
  });

  it('counts wrong steps of its own doing, and none that it found there', () => {
    const draws = stream(5, 'new');
    const problem = family.drawTraining(draws);
    const steps = family.work(problem, (at) => (at === 0 ? RIGHT : { kind: 'slip', what: family.slips[0]! }), draws);
    const start = openStart(family, problem, steps.slice(0, 2), 'slip');
    const rest = workInProgress(steps.slice(2));
    expect(grade(family, start, rest).newWrongSteps).toBe(steps.length - 2);
  });
}); // biome-ignore format: one claim a line

describe('pairs to distil from', () => {
  it('excuse what is wrong: the same steps are right in the other problem, and written alike but for what excuses them', () => {
    const excusing = families.filter(({ excuse }) => excuse !== undefined);
    expect(excusing.map(({ name }) => name)).toEqual(['dictionary-sum', 'running-sum']);
    for (const family of excusing) {
      for (let seed = 0; seed < 20; seed++) {
        const twin = drawTwin(family, stream(seed), { excuse: 1, role: 0, pieces: 0, copies: 0 });
        expect(twin.treated.dose).toBeGreaterThan(0);
        expect(twin.control.dose).toBe(0);
        expect(twin.control.written).toHaveLength(twin.treated.written.length);
      }
    }
  });

  it('differ in who said it, in how it was told, in how often it stands there', () => {
    const twin = (arm: string) => drawTwin(running, stream(1), { excuse: 0, role: 0, pieces: 0, copies: 0, [arm]: 1 });
    expect([twin('role').treated.saidBy, twin('role').control.saidBy]).toEqual(['model', 'user']);
    expect(twin('pieces').treated.conversation[0]!.text).toContain('+');
    expect(twin('pieces').control.conversation[0]!.text).not.toContain('+');
    expect([twin('copies').treated.dose > 1, twin('copies').control.dose]).toEqual([true, 1]);
  });

  it('leave out the arms that a family does not have, and say which', () => {
    const all = { excuse: 1, role: 1, pieces: 1, copies: 1 };
    const words = trainingSide(openFamily('word-problem'));
    expect(possibleArms(words, all)).toEqual({ ...all, excuse: 0 });
    expect(leftOut(all, possibleArms(words, all))).toEqual(['excuse']);
    expect(possibleArms(running, all)).toEqual(all);
    expect(() => possibleArms(words, { excuse: 1, role: 0, pieces: 0, copies: 0 })).toThrow(/"pieces"/);
  });

  it('are refused where a family has no excuse', () => {
    const family = { ...running, excuse: () => undefined };
    expect(() => drawTwin(family, stream(1), { excuse: 1, role: 0, pieces: 0, copies: 0 })).toThrow(/"excuse"/);
  });
});
