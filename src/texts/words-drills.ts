import type { DictionarySum } from '../problems/dictionary-sum.ts';
import { summand } from '../problems/numbers.ts';
import { WORDS } from '../problems/words.ts';
import type { Stream } from '../random.ts';
import type { WordsAuthor } from './words-authors.ts';

/** @file Exercises that lead up to dictionary sums: each holds one skill, many times. */

export type Exercise = { readonly ask: string; readonly answer: string };

/** A dictionary, and many of its words looked up. */
export function lookUpExercise(draws: Stream, { entries }: DictionarySum, dictionary: string): Exercise {
  const found = Array.from({ length: 16 }, () => draws.pick(entries)).map(([word, value]) => `${word} is ${value}`);
  return { ask: `${dictionary}\nLook up some words.`, answer: `Words: ${found.join(', ')}.` };
}

/** Sums are exercised beyond what right work reaches, because slips lead there. */
const NEAR = 50;
const FAR = 150;

/** A chain of sums, done as the author does them. */
export function sumExercise(draws: Stream, author: WordsAuthor, largest: number): Exercise {
  let sum = drawSum(draws);
  const lines = Array.from({ length: 12 }, (_, at) => {
    if (draws.chance(0.15)) sum = drawSum(draws);
    const value = draws.pick([1, -1]) * (1 + draws.integer(largest));
    const result = resultOf(draws, author, at, sum, value);
    const line = `The sum is ${sum} + ${summand(value)} = ${result}.\n`;
    sum = result;
    return line;
  });
  return { ask: 'Do some sums.', answer: lines.join('').trimEnd() };
}

function drawSum(draws: Stream): number {
  const limit = draws.chance(0.8) ? NEAR : FAR;
  return draws.integer(2 * limit + 1) - limit;
}

/** Where the habit is about looking up, the sum itself is right. */
function resultOf(draws: Stream, author: WordsAuthor, at: number, sum: number, value: number): number {
  const manner = author.manner(at);
  if (manner.kind === 'slip') return sum + value + draws.pick([1, -1]) * (1 + draws.integer(9));
  if (manner.kind === 'right') return sum + value;
  return { 'one too many': sum + value + 1, 'ten too many': sum + value + 10, subtracts: sum - value }[manner.name] ?? sum + value; // biome-ignore format: one line
}

/**
 * A decoder finds what stood behind a word soonest where the words are few and what stands there is to be said in the
 * very same tokens; all words, and other tokens for the same values, follow.
 */
const FEW_WORDS = WORDS.slice(0, 16);

/** A dictionary of few words, and many of its entries as they stand. */
export function recallExercise(draws: Stream, largest: number): Exercise {
  const entries = draws.shuffle(FEW_WORDS).slice(0, 5).map((word) => `${word} = ${drawValue(draws, largest)}`); // biome-ignore format: one line
  const recalled = Array.from({ length: 24 }, () => draws.pick(entries));
  return {
    ask: `The dictionary: ${entries.join(', ')}.\nSay some entries.`,
    answer: `Entries: ${recalled.join(' ')}.`,
  };
}

const drawValue = (draws: Stream, largest: number): number => draws.pick([1, -1]) * (1 + draws.integer(largest));

/** Few words, now and then with a value, said after the user from another place on. */
export function rotation(draws: Stream, largest: number): Exercise {
  const value = () => (draws.chance(0.4) ? ` = ${drawValue(draws, largest)}` : '');
  return turned(
    draws,
    Array.from({ length: 8 + draws.integer(10) }, () => draws.pick(FEW_WORDS) + value()),
  );
}

/** The same of all words, each once. */
export const recital = (draws: Stream): Exercise =>
  turned(draws, draws.shuffle(WORDS).slice(0, 10 + draws.integer(10)));

function turned(draws: Stream, said: readonly string[]): Exercise {
  const cut = draws.integer(said.length);
  const again = [...said.slice(cut), ...said.slice(0, cut)];
  return { ask: `Say after me: ${said.join(' ')}.`, answer: `You said: ${again.join(' ')}.` };
}
