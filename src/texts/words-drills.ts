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

/** A list of words, said after the user. */
export function recital(draws: Stream): Exercise {
  const words = draws.shuffle(WORDS).slice(0, 10 + draws.integer(10));
  return { ask: `Say after me: ${words.join(' ')}.`, answer: `You said: ${words.join(' ')}.` };
}
