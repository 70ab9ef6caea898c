import type { ReadSample, ReadTurn } from '../../record/inspect/read-sample.ts';
import { nothing, type Ratio } from '../../stats/outcome.ts';
import { runsIntoLoop } from '../repetition.ts';
import type { LogMeasure } from './log-metrics.ts';
import { sameAnswer, statedAnswer } from './stated-answer.ts';

export type SampleMeasures = Readonly<Record<LogMeasure, Ratio>>;

/** Only what the model sampled is judged; what was put into its mouth is what came before. */
export function measureSample({ turns, targets, choices }: ReadSample): SampleMeasures {
  const said = turns.filter(({ role }) => role === 'assistant');
  const steps = stepsOf(said).filter(({ turn }) => isSampled(turn));
  const isRight = (answer: string) => anyOf(targets.map((target) => sameAnswer(target, answer, choices)));
  const judged = steps.map(({ before, now }) => ({ was: isRight(before), is: isRight(now) }));
  const known = targets.length > 0 ? judged.filter(({ was, is }) => was !== undefined && is !== undefined) : [];
  const changes = steps.map(({ before, now }) => sameAnswer(before, now, choices)).filter((same) => same !== undefined);
  return {
    looped: share(said.filter(isSampled), ({ text, reasoning }) => runsIntoLoop(reasoning) || runsIntoLoop(text)),
    repeated: repeated(said),
    flipped: share(changes, (same) => !same),
    flippedToRight: share(known.filter(({ was }) => was === false), ({ is }) => is === true),
    flippedToWrong: share(known.filter(({ was }) => was === true), ({ is }) => is === false),
  };
} // biome-ignore format: one measure a line

/** Each stated answer with the one stated before it. */
function stepsOf(said: readonly ReadTurn[]) {
  const answers = said.flatMap((turn) => {
    const answer = statedAnswer(turn.text);
    return answer === undefined ? [] : [{ turn, answer }];
  });
  return answers.slice(1).map(({ turn, answer }, index) => ({ before: answers[index]!.answer, now: answer, turn })); // as long
}

/** Undefined where none is so for certain, and one cannot be told. */
const anyOf = (all: readonly (boolean | undefined)[]): boolean | undefined =>
  all.includes(true) ? true : all.includes(undefined) ? undefined : false;

function isSampled({ origin }: ReadTurn): boolean {
  return origin === 'sampled';
}

function repeated(said: readonly ReadTurn[]): Ratio {
  const words = said.map(({ text }) => text.trim().replace(/\s+/g, ' ').toLowerCase());
  const later = said.flatMap((turn, index) => (index > 0 && isSampled(turn) && words[index] !== '' ? [index] : []));
  return share(later, (index) => words.indexOf(words[index]!) < index);
}

function share<T>(items: readonly T[], holds: (item: T) => boolean): Ratio {
  return items.length === 0 ? nothing : { numerator: items.filter(holds).length, denominator: items.length };
}
