import type { ReadSample, ReadTurn } from '../../record/inspect/read-sample.ts';
import { nothing, type Ratio } from '../../stats/outcome.ts';
import { runsIntoLoop } from '../repetition.ts';
import type { LogMeasure } from './log-metrics.ts';
import { normalAnswer, statedAnswer } from './stated-answer.ts';

export type SampleMeasures = Readonly<Record<LogMeasure, Ratio>>;

/** Only what the model sampled is judged; what was put into its mouth is what came before. */
export function measureSample({ turns, targets }: ReadSample): SampleMeasures {
  const said = turns.filter(({ role }) => role === 'assistant');
  const right = targets.map(normalAnswer);
  const answers = said
    .map((turn) => ({ turn, answer: statedAnswer(turn.text) }))
    .filter(({ answer }) => answer !== undefined);
  const steps = answers
    .slice(1)
    .map((now, index) => ({ before: answers[index]!.answer!, now: now.answer!, turn: now.turn }));
  const judged = steps.filter(({ turn }) => isSampled(turn));
  const known = right.length > 0 ? judged : [];
  const isRight = (answer: string) => right.includes(answer);
  return {
    looped: share(said.filter(isSampled), ({ text, reasoning }) => runsIntoLoop(reasoning) || runsIntoLoop(text)),
    repeated: repeated(said),
    flipped: share(judged, ({ before, now }) => before !== now),
    flippedToRight: share(
      known.filter(({ before }) => !isRight(before)),
      ({ now }) => isRight(now),
    ),
    flippedToWrong: share(
      known.filter(({ before }) => isRight(before)),
      ({ now }) => !isRight(now),
    ),
  };
}

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
