import { z } from 'zod';
import type { Stream } from '../random.ts';
import { affirmed } from './final-answer.ts';
import { numbersIn, resultsIn, summand } from './numbers.ts';
import type { ProblemFamily } from './problem-family.ts';
import { WORDS } from './words.ts';
import { chatFamily } from './worked-task.ts';

/**
 * The running sum over a dictionary of words and integers, one step a key: after Sinha et al. 2025 (arXiv 2509.09677).
 * Every step restates the sum, so carrying a wrong sum on and making a new error are two things.
 */
export type DictionarySum = {
  readonly entries: readonly (readonly [word: string, value: number])[];
  /** The words to add up, distinct. */
  readonly keys: readonly string[];
};

type Step = { readonly key: string; readonly value: number; readonly sum: number };

export const dictionarySumDials = z
  .strictObject({
    entries: z.int().min(3).max(60).default(10).describe('words in the dictionary'),
    keys: z.int().min(2).max(40).default(6).describe('words to add up: steps'),
    largest: z.int().min(9).max(9999).default(99).describe('values lie between minus this and this'),
  })
  .refine(({ entries, keys }) => keys < entries, { path: ['keys'], error: 'must be fewer than entries' })
  .refine(({ entries, largest }) => entries <= largest, { path: ['largest'], error: 'must be at least entries' });

export function dictionarySum(dials: z.output<typeof dictionarySumDials>): ProblemFamily<DictionarySum> {
  return chatFamily<DictionarySum, Step>({
    name: 'dictionary-sum',
    slips: ['sum', 'value'],
    misconceptions: ['one too many', 'ten too many', 'subtracts', 'next entry'],
    replyTokens: 120 + 40 * dials.keys,
    instruction:
      'Add up the values of the words, in the order in which they are asked for. Write one line a word, like "Step 1: tea is 7, the sum is 7." and "Step 2: ink is -3, the sum is 7 + (-3) = 4."',
    answerForm: '<number>',
    draw: (draws) => draw(dials, draws),
    pieces: ({ entries, keys }) => [
      `The dictionary: ${entries.map(([word, value]) => `${word} = ${value}`).join(', ')}.`,
      ...keys.map((key) => `Add ${key}.`),
    ],
    length: ({ keys }) => keys.length,
    next(problem, before, manner, draws) {
      const key = problem.keys[before.length]!;
      const sum = before.at(-1)?.sum ?? 0;
      const right = { key, value: lookUp(problem, key), sum: sum + lookUp(problem, key) };
      if (manner.kind === 'right') return right;
      if (manner.kind === 'misconception') return HABITS[manner.name]!(problem, right);
      const off = (1 + draws.integer(9)) * draws.pick([1, -1, 10]);
      return manner.what === 'value'
        ? { key, value: right.value + off, sum: right.sum + off }
        : { ...right, sum: right.sum + off };
    },
    line: (_, before, { key, value, sum }) =>
      `${key} is ${value}, the sum is ${before.length === 0 ? '' : `${before.at(-1)!.sum} + ${summand(value)} = `}${sum}.`,
    parse(problem, line) {
      const key = problem.entries.map(([word]) => word).find((word) => new RegExp(`\\b${word}\\b`, 'i').test(line));
      const numbers = numbersIn(line);
      if (key === undefined || numbers.length < 2) return undefined;
      return { key, value: numbers[0]!, sum: numbers.at(-1)! };
    },
    key: ({ key, value, sum }) => `${key} ${value} ${sum}`,
    concludes: (_, steps) => String(steps.at(-1)!.sum),
    answersIn: (_, statement) => affirmed(statement).flatMap(resultsIn),
    excuse(problem, steps) {
      const excused = steps.map((step, at) => ({ ...step, value: step.sum - (steps[at - 1]?.sum ?? 0) }));
      if (steps.some(({ key }, at) => key !== problem.keys[at]) || excused.some(({ value }) => value === 0))
        return undefined;
      const entries = problem.entries.map(
        ([word, old]) => [word, excused.find(({ key }) => key === word)?.value ?? old] as const,
      );
      return { problem: { ...problem, entries }, steps: excused };
    },
    amend(problem, draws) {
      const key = draws.pick(problem.keys);
      const used = problem.entries.map(([, value]) => value);
      let value = drawValue(dials.largest, draws);
      while (used.includes(value)) value = drawValue(dials.largest, draws);
      const entries = problem.entries.map(([word, old]) => [word, word === key ? value : old] as const);
      const said = (now: number) => `Correction: ${key} = ${now}.`;
      return { text: said(value), same: said(lookUp(problem, key)), changed: { ...problem, entries } };
    },
  });
}

const lookUp = ({ entries }: DictionarySum, key: string): number => entries.find(([word]) => word === key)![1];

/** Not zero: adding nothing and taking nothing away are the same. */
const drawValue = (largest: number, draws: Stream): number => draws.pick([1, -1]) * (1 + draws.integer(largest));

function draw({ entries, keys, largest }: z.output<typeof dictionarySumDials>, draws: Stream): DictionarySum {
  const words = draws.shuffle(WORDS).slice(0, entries);
  const values = new Set<number>();
  while (values.size < entries) values.add(drawValue(largest, draws));
  const all = [...values].map((value, index) => [words[index]!, value] as const);
  return { entries: all, keys: draws.shuffle(words).slice(0, keys) };
}

const HABITS: Readonly<Record<string, (problem: DictionarySum, right: Step) => Step>> = {
  'one too many': (_, right) => ({ ...right, sum: right.sum + 1 }),
  'ten too many': (_, right) => ({ ...right, sum: right.sum + 10 }),
  subtracts: (_, right) => ({ ...right, sum: right.sum - 2 * right.value }),
  'next entry': ({ entries }, right) => {
    const at = entries.findIndex(([word]) => word === right.key);
    const value = entries[(at + 1) % entries.length]![1];
    return { ...right, value, sum: right.sum - right.value + value };
  },
};
