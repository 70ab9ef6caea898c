import { z } from 'zod';
import type { DictionarySum } from '../problems/dictionary-sum.ts';
import { type Manner, type ProblemFamily, RIGHT, type WorkedStep, workInProgress } from '../problems/problem-family.ts';
import type { Stream } from '../random.ts';
import { habit } from '../wrong-turns/wrong-work.ts';

/** @file Authors of dictionary sums in sentences: each has one trait, which lasts through a document. */

type Family = ProblemFamily<DictionarySum>;

/** A trait that is not named has no share. */
const share = z.number().nonnegative().default(0);

/** Shares of the authors by trait. */
export const wordsAuthorShares = z.strictObject({
  careful: share,
  slipping: share,
  erratic: share,
  misconceiving: share,
  correcting: share,
  hiccuping: share,
  stuck: share,
});

export type WordsAuthorShares = z.output<typeof wordsAuthorShares>;
type Trait = keyof WordsAuthorShares;

/** The chance that a step goes wrong, for the traits that leave it to chance. */
export type ErrorRates = { readonly slipRate: number; readonly erraticRate: number; readonly correctingRate: number };

export type WordsAuthor = {
  readonly trait: Trait;
  /** How the author does a step. */
  manner(position: number): Manner;
  /** Chance that a step is written wrongly and taken back at once. */
  readonly takesBack: number;
};

/** Draws an author; `draws` also decides on each of the author's later slips. */
export function drawWordsAuthor(
  draws: Stream,
  family: Family,
  shares: WordsAuthorShares,
  rates: ErrorRates,
): WordsAuthor {
  const trait = draws.weighted(shares);
  const manner = trait === 'misconceiving' ? habit(family, draws) : slipping(draws, family, rateOf(trait, rates));
  return { trait, manner, takesBack: trait === 'correcting' ? rates.correctingRate : 0 };
}

const rateOf = (trait: Trait, { slipRate, erraticRate }: ErrorRates): number =>
  trait === 'slipping' ? slipRate : trait === 'erratic' ? erraticRate : 0;

const slipping = (draws: Stream, family: Family, rate: number) => (): Manner =>
  draws.chance(rate) ? { kind: 'slip', what: draws.pick(family.slips) } : RIGHT;

/** A whole reply in the author's manner. Stuck authors never reach the answer. */
export function writeWork(draws: Stream, family: Family, problem: DictionarySum, author: WordsAuthor): string {
  const steps = family.work(problem, author.manner, draws);
  const at = draws.integer(steps.length);
  if (author.trait === 'stuck') return workInProgress(repeated(steps.slice(0, at + 1), at, 8 + draws.integer(3)));
  if (author.trait === 'hiccuping') return family.reply(repeated(steps, at, 2));
  const written = steps.flatMap((step, position) =>
    draws.chance(author.takesBack) ? [takenBack(draws, family, problem, position), step] : [step],
  );
  return family.reply(written);
}

/** The step at `at` stands there `copies` times. */
const repeated = (steps: readonly WorkedStep[], at: number, copies: number): WorkedStep[] =>
  steps.flatMap((step, index) => Array<WorkedStep>(index === at ? copies : 1).fill(step));

/** A slip that the author notices at once. */
function takenBack(draws: Stream, family: Family, problem: DictionarySum, position: number): WorkedStep {
  const slip: Manner = { kind: 'slip', what: draws.pick(family.slips) };
  const steps = family.work(problem, (at) => (at === position ? slip : RIGHT), draws, position + 1);
  const wrong = steps[position]!; // as many steps were asked for
  return { ...wrong, text: `${wrong.text}No, that is wrong.\n` };
}

/** A reviewer's text: each step done afresh, and whether the written one agrees with it. */
export function reviewText(fresh: readonly WorkedStep[], written: readonly WorkedStep[]): string {
  const agrees = fresh.map(({ text }, at) => text === written[at]?.text);
  const first = agrees.indexOf(false);
  return `${checkLines(fresh, (at) => agrees[at] ?? false)}First wrong step: ${first < 0 ? 'none' : first + 1}`;
}

/** A line a step, as the family's check writes it: the step done again, and a verdict. */
export function checkLines(again: readonly WorkedStep[], isRight: (at: number) => boolean): string {
  const lines = again.map(({ text }, at) => {
    return `${text.replace('Step', 'Check').trimEnd()} ${isRight(at) ? 'right' : 'wrong'}\n`;
  });
  return lines.join('');
}

/** Work done again, which says whether what was said before stands. Stuck authors never get there. */
export function reworkText(again: string, said: string): string {
  const answer = ANSWER.exec(again)?.[0];
  if (answer === undefined) return again;
  const verdict = answer === ANSWER.exec(said)?.[0] ? 'right' : 'wrong';
  return `${again.slice(0, -answer.length)}The solution above is ${verdict}.\n${answer}`;
}

const ANSWER = /Answer: \S+$/;
