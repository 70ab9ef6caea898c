import { z } from 'zod';
import { CHALLENGES, type ChallengeKind, challengeText } from '../problems/challenges.ts';
import { type DictionarySum, dictionarySum, dictionarySumDials } from '../problems/dictionary-sum.ts';
import { type ProblemFamily, RIGHT, type WorkedStep, workInProgress } from '../problems/problem-family.ts';
import { chatSideTasks } from '../problems/side-tasks.ts';
import { drawSmallTalk } from '../problems/small-talk.ts';
import type { Stream } from '../random.ts';
import { wrongAnswer } from '../wrong-turns/wrong-work.ts';
import {
  checkLines,
  drawWordsAuthor,
  reviewText,
  reworkText,
  type WordsAuthor,
  wordsAuthorShares,
  writeWork,
} from './words-authors.ts';
import { type Exercise, lookUpExercise, recallExercise, recital, rotation, sumExercise } from './words-drills.ts';

/**
 * The text that the model in words grows up on: conversations about dictionary sums by authors whose traits last. It is
 * the organism's text (`organism-text.ts`) in sentences, in the very words in which the family asks and reads.
 */

const share = z.number().nonnegative().default(0);
const chance = z.number().min(0).max(1);

/** Shares of the kinds of document. */
export const wordsDocumentShares = z.strictObject({
  solution: share,
  challengedOwn: share,
  challengedOther: share,
  review: share,
  reviewedOwn: share,
  checkedOwn: share,
  shards: share,
  joinedShards: share,
  fewShot: share,
  repeat: share,
  smallTalk: share,
  drill: share,
  sums: share,
  lookUps: share,
  recital: share,
  recall: share,
  rotation: share,
});

/** Every share of the text, by name: what `unrut.json` says of it. */
export const wordsTextSchema = z.strictObject({
  /** The problems that the text is about, most of the time. */
  dictionarySum: dictionarySumDials,
  documents: wordsDocumentShares,
  authors: wordsAuthorShares,
  /** Authors of the work that others are asked to check: more of it is wrong, or checking would show too rarely. */
  others: wordsAuthorShares,
  slipRate: chance,
  erraticRate: chance,
  correctingRate: chance,
  /** After a challenge: chance that an author restates their own answer, and works through somebody else's anew. */
  restateOwn: chance,
  recomputeOther: chance,
  /** Chance that a problem has fewer or more words than `dictionarySum` says, so that no word is found by its offset. */
  otherSizes: chance,
  /** Chance that a fact of the problem is corrected, and that the user names a wrong answer beside the question. */
  corrected: chance,
  endorsed: chance,
  /** Chance that a user says what is wanted in words of any kind, so that nothing hangs on a wording. */
  looseWording: chance,
  /** Chance that the author of a document speaks as `assistant`: it starts as one author among the others. */
  assistant: chance,
});

export type WordsText = z.output<typeof wordsTextSchema>;

export type WordsTurn = { readonly role: 'user' | 'author'; readonly text: string };

type Family = ProblemFamily<DictionarySum>;
type Case = { readonly family: Family; readonly problem: DictionarySum; readonly author: WordsAuthor };
type Writer = (draws: Stream, text: WordsText) => WordsTurn[];

const user = (text: string): WordsTurn => ({ role: 'user', text });
const author = (text: string): WordsTurn => ({ role: 'author', text });

/** One conversation. */
export function drawWordsTurns(draws: Stream, text: WordsText): WordsTurn[] {
  return WRITERS[draws.weighted(text.documents)](draws, text);
}

const WRITERS: Readonly<Record<keyof WordsText['documents'], Writer>> = {
  solution: (draws, text) => {
    const { family, problem, author: writer } = drawCase(draws, text);
    const { prompt, changed } = drawQuestion(draws, text, family, problem);
    return [user(prompt), author(writeWork(draws, family, changed, writer))];
  },

  challengedOwn: (draws, text) => {
    const { family, problem, author: writer } = drawCase(draws, text);
    const work = writeWork(draws, family, problem, writer);
    const again = draws.chance(text.restateOwn) ? work : writeWork(draws, family, problem, writer);
    const words = challenge(draws, text, family, problem, draws.weighted(PRESSURES));
    return [user(family.prompt(problem)), author(work), user(words), author(reworkText(again, work))];
  },

  challengedOther: (draws, text) => {
    const { family, problem, author: writer } = drawCase(draws, text);
    const work = writeWork(draws, family, problem, drawWordsAuthor(draws, family, text.others, text));
    const again = draws.chance(text.recomputeOther) ? writeWork(draws, family, problem, writer) : work;
    const words = challenge(draws, text, family, problem, 'check');
    return [user(family.prompt(problem)), user(work), user(words), author(reworkText(again, work))];
  },

  review: (draws, text) => {
    const { family, problem } = drawCase(draws, text);
    const written = family.work(problem, drawWordsAuthor(draws, family, text.others, text).manner, draws);
    const fresh = family.work(problem, () => RIGHT, draws);
    const words = challenge(draws, text, family, problem, 'review');
    return [user(family.prompt(problem)), user(family.reply(written)), user(words), author(reviewText(fresh, written))];
  },

  reviewedOwn: (draws, text) => {
    const { family, problem, author: writer } = drawCase(draws, text);
    const steps = family.work(problem, writer.manner, draws);
    const words = challenge(draws, text, family, problem, 'review');
    return [user(family.prompt(problem)), author(family.reply(steps)), user(words), author(reviewText(steps, steps))];
  },

  checkedOwn: (draws, text) => {
    const { family, problem, author: writer } = drawCase(draws, text);
    const steps = family.work(problem, writer.manner, draws);
    return [
      user(family.prompt(problem)),
      author(draws.chance(0.4) ? family.wavedThrough(steps) : checked(family, steps)),
    ];
  },

  shards: (draws, text) => {
    const { family, problem, author: writer } = drawCase(draws, text);
    const { turns, changed } = draws.chance(0.5)
      ? family.override!(problem, draws) // a family that can be amended has it
      : { ...family.shards(problem, draws), changed: problem };
    return turns.flatMap((turn, at) => {
      const known =
        at === turns.length - 1 ? changed : { ...problem, keys: keysNamed(turns.slice(0, at + 1), problem) };
      const answer = known.keys.length === 0 ? 'Which words?' : writeWork(draws, family, known, writer);
      return [user(turn), author(answer)];
    });
  },

  joinedShards: (draws, text) => {
    const { family, problem, author: writer } = drawCase(draws, text);
    return [user(family.shards(problem, draws).joined), author(writeWork(draws, family, problem, writer))];
  },

  fewShot: (draws) => {
    const task = chatSideTasks.fewShot(draws, 1 + draws.integer(8));
    const output = new RegExp(`Input: ${task.prompt.match(/Input: (\w+)\nOutput:$/)![1]}\nOutput: (\\d+)`); // the prompt ends so
    return [user(task.prompt), author(task.prompt.match(output)![1]!)]; // what is asked for was shown
  },

  repeat: (draws) => {
    const { prompt } = chatSideTasks.repeat(draws);
    const [, item, times] = prompt.match(/"(\w+)" exactly (\d)/)!; // the prompt says so
    return [user(prompt), author(Array(Number(times)).fill(item).join(' '))];
  },

  smallTalk: (draws) => drawSmallTalk(draws).flatMap(exercise),

  drill: (draws, text) => {
    const family = sized(text, 9, 8);
    const problem = family.drawTraining!(draws); // a chat family has both sides
    const writer = drawWordsAuthor(draws, family, text.authors, text);
    return [user(family.prompt(problem)), author(writeWork(draws, family, problem, writer))];
  },

  sums: (draws, text) => {
    const writer = drawWordsAuthor(draws, drawFamily(draws, text), text.authors, text);
    return exercise(sumExercise(draws, writer, text.dictionarySum.largest));
  },

  lookUps: (draws, text) => {
    const family = drawFamily(draws, text);
    const problem = family.drawTraining!(draws); // a chat family has both sides
    return exercise(lookUpExercise(draws, problem, family.id(problem).split('. ')[0]!));
  },

  recital: (draws) => exercise(recital(draws)),
  recall: (draws, text) => exercise(recallExercise(draws, text.dictionarySum.largest)),
  rotation: (draws, text) => exercise(rotation(draws, text.dictionarySum.largest)),
};

const exercise = ({ ask, answer }: Exercise): WordsTurn[] => [user(ask), author(answer)];

/** How own work is challenged. */
const PRESSURES = { check: 0.66, doubt: 0.14, claim: 0.14, evidence: 0.06 };

function drawCase(draws: Stream, text: WordsText): Case {
  const family = drawFamily(draws, text);
  const problem = family.drawTraining!(draws); // a chat family has both sides
  return { family, problem, author: drawWordsAuthor(draws, family, text.authors, text) };
}

function drawFamily(draws: Stream, text: WordsText): Family {
  const { entries, keys } = text.dictionarySum;
  if (!draws.chance(text.otherSizes)) return sized(text, entries, keys);
  const words = 2 + draws.integer(5);
  return sized(text, Math.min(9, words + 1 + draws.integer(4)), words);
}

const families = new Map<string, Family>();

function sized({ dictionarySum: { largest } }: WordsText, entries: number, keys: number): Family {
  const key = `${entries} ${keys} ${largest}`;
  const family = families.get(key) ?? dictionarySum({ entries, keys, largest });
  families.set(key, family);
  return family;
}

/** The question, now and then with a correction of the problem or with somebody's wrong answer to it. */
function drawQuestion(draws: Stream, text: WordsText, family: Family, problem: DictionarySum) {
  const amendment = draws.chance(text.corrected) ? family.amend?.(problem, draws) : undefined;
  const changed = amendment?.changed ?? problem;
  const stance = draws.chance(text.endorsed) ? challenge(draws, text, family, problem, 'stance') : undefined;
  const parts = [family.prompt(problem), amendment?.text, stance];
  return { prompt: parts.filter((part) => part !== undefined).join('\n\n'), changed };
}

/** What a user says of an answer: in the wordings that training may use. */
function challenge(
  draws: Stream,
  text: WordsText,
  family: Family,
  problem: DictionarySum,
  kind: ChallengeKind,
): string {
  const wording = draws.pick(family.challenges!.filter((one) => one.kind === kind && !one.heldOut)); // a chat family has wordings
  if (draws.chance(text.looseWording)) return loosely(draws, wording.text);
  const steps = family.work(problem, () => RIGHT, draws);
  const at = draws.integer(steps.length);
  const answer = wording.text.includes('{answer}') ? wrongAnswer(family, problem, draws) : undefined;
  return challengeText(wording, { answer: answer ?? '0', step: at + 1, line: steps[at]!.text.trim() });
}

/** Any words, and then how the reply is to end. */
function loosely(draws: Stream, wording: string): string {
  const words = Array.from({ length: 3 + draws.integer(10) }, () => draws.pick(ANY_WORDS));
  const ending = wording.includes('\n') ? wording.slice(wording.indexOf('\n')) : '';
  return `${words.join(' ')}.${ending}`;
}

const ANY_WORDS = CHALLENGES.filter(({ heldOut }) => !heldOut).flatMap(
  ({ text }) => text.match(/\b[A-Za-z]+\b/g) ?? [],
);

/** Own work with a check that passes every step: it restates what stands there. */
function checked(family: Family, steps: readonly WorkedStep[]): string {
  const [begins] = family.checking!.split('Check 1:'); // a chat family has it
  return `${workInProgress(steps)}${begins}${checkLines(steps, () => true)}Answer: ${steps.at(-1)!.concludes}`; // a problem has steps
}

/** The words that were asked for up to here. */
function keysNamed(turns: readonly string[], { keys }: DictionarySum): string[] {
  const said = turns.join('\n');
  return keys.filter((key) => said.includes(`Add ${key}.`));
}
