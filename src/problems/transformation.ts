import { z } from 'zod';
import type { Stream } from '../random.ts';
import { affirmed } from './final-answer.ts';
import type { ProblemFamily } from './problem-family.ts';
import { WORDS } from './words.ts';
import { chatFamily } from './worked-task.ts';

/** A list of words, or a string of letters, is changed operation by operation; every step restates it. */
export type Transformation = {
  readonly over: 'words' | 'letters';
  readonly start: readonly string[];
  readonly operations: readonly Operation[];
};

type Operation = { readonly kind: Kind /** What is put in, where something is. */; readonly item?: string };

/** The list or string after an operation. */
type Step = { readonly items: readonly string[] };

export const transformationDials = z.strictObject({
  over: z.enum(['words', 'letters']).default('words').describe('a list of words or a string of letters'),
  items: z.int().min(3).max(12).default(5).describe('words or letters at the start'),
  operations: z.int().min(2).max(20).default(6).describe('operations: steps'),
});
type Dials = z.output<typeof transformationDials>;

export function transformation(dials: Dials): ProblemFamily<Transformation> {
  const [one, all, separator] = NOUNS[dials.over];
  const example = dials.over === 'words' ? 'tea, ink, jam' : 'XYZ';
  return chatFamily<Transformation, Step>({
    name: dials.over === 'words' ? 'list-transformation' : 'string-transformation',
    slips: ['neighbours swapped', 'one lost'],
    misconceptions: ['wrong end', 'last two swapped', 'operation skipped'],
    replyTokens: 150 + 12 * (dials.operations + 1) * (dials.items + 3),
    instruction: `Apply the operations one after the other. Write one line an operation, with the whole ${all} after it, like "Step 1: ${example}".`,
    answerForm: `<the ${all}>`,
    draw: (draws) => draw(dials, draws),
    pieces: ({ start, operations }) => [
      `The ${all} is: ${start.join(separator)}.`,
      ...operations.map((operation) => sentence(operation, one, all)),
    ],
    length: ({ operations }) => operations.length,
    next({ start, operations }, before, manner, draws) {
      const items = before.at(-1)?.items ?? start;
      const operation = operations[before.length]!;
      if (manner.kind === 'misconception') return { items: HABITS[manner.name]!(operation, items) };
      const right = apply(operation, items);
      return { items: manner.kind === 'right' ? right : SLIPS[manner.what]!(right, draws, start) };
    },
    line: (_, _before, { items }) => items.join(separator),
    parse({ over }, line) {
      const stated = line.slice(Math.max(...['->', '→', ':', '='].map((sign) => line.lastIndexOf(sign) + 1)));
      const items = itemsIn(over, stated);
      return items.length > 0 ? { items } : undefined;
    },
    key: ({ items }) => items.join(),
    concludes: (_, steps) => steps.at(-1)!.items.join(separator),
    answersIn: ({ over }, statement) =>
      affirmed(statement)
        .map((part) => itemsIn(over, part).join(separator))
        .filter((items) => items !== ''),
    amend({ start, ...rest }, draws) {
      const [a, b] = draws.shuffle([...start.keys()]) as [number, number, ...number[]]; // a start has three or more
      const changed = start.with(a, start[b]!).with(b, start[a]!);
      const said = (items: readonly string[]) => `Correction: at the start, the ${all} is: ${items.join(separator)}.`;
      return { text: said(changed), same: said(start), changed: { ...rest, start: changed } };
    },
  }); // biome-ignore format: one line a member
}

const NOUNS = { words: ['word', 'list', ', '], letters: ['letter', 'string', ''] } as const;

type Kind = keyof typeof OPERATIONS;

/** What an operation does, and what it does where the two ends are taken for each other. */
const OPERATIONS = {
  'first to end': [([first, ...rest], _) => [...rest, first!], (items) => [items.at(-1)!, ...items.slice(0, -1)]],
  'last to front': [(items) => [items.at(-1)!, ...items.slice(0, -1)], ([first, ...rest]) => [...rest, first!]],
  'swap first two': [([a, b, ...rest]) => [b!, a!, ...rest], (items) => lastTwoSwapped(items)],
  'swap last two': [(items) => lastTwoSwapped(items), ([a, b, ...rest]) => [b!, a!, ...rest]],
  'drop first': [(items) => items.slice(1), (items) => items.slice(0, -1)],
  'drop last': [(items) => items.slice(0, -1), (items) => items.slice(1)],
  append: [(items, item) => [...items, item!], (items, item) => [item!, ...items]],
  prepend: [(items, item) => [item!, ...items], (items, item) => [...items, item!]],
  reverse: [(items) => items.toReversed(), ([first, ...rest]) => [first!, ...rest.toReversed()]],
  sort: [(items) => items.toSorted(), (items) => items.toSorted().toReversed()],
} satisfies Record<string, readonly [Change, Change]>;

type Change = (items: readonly string[], item?: string) => string[];

function lastTwoSwapped(items: readonly string[]): string[] {
  return [...items.slice(0, -2), ...items.slice(-2).toReversed()];
}

const apply = ({ kind, item }: Operation, items: readonly string[]): string[] => OPERATIONS[kind][0](items, item);

const HABITS: Readonly<Record<string, (operation: Operation, items: readonly string[]) => readonly string[]>> = {
  'wrong end': ({ kind, item }, items) => OPERATIONS[kind][1](items, item),
  'last two swapped': (operation, items) => lastTwoSwapped(apply(operation, items)),
  'operation skipped': (_, items) => items,
};

type Slip = (right: readonly string[], draws: Stream, start: readonly string[]) => string[];

const SLIPS: Readonly<Record<string, Slip>> = {
  'neighbours swapped': (right, draws, start) => {
    if (right.length < 2) return withStray(right, start);
    const at = draws.integer(right.length - 1);
    return [...right.slice(0, at), ...right.slice(at, at + 2).toReversed(), ...right.slice(at + 2)];
  },
  'one lost': (right, draws, start) =>
    right.length === 0 ? withStray(right, start) : right.toSpliced(draws.integer(right.length), 1),
};

/** What is left to get wrong where slips before have left too little to swap or to lose. */
const withStray = (right: readonly string[], [first]: readonly string[]): string[] => [...right, first!]; // a start has three or more

function sentence({ kind, item }: Operation, one: string, all: string): string {
  const texts: Readonly<Record<Kind, string>> = {
    'first to end': `Move the first ${one} to the end.`,
    'last to front': `Move the last ${one} to the front.`,
    'swap first two': `Swap the first two ${one}s.`,
    'swap last two': `Swap the last two ${one}s.`,
    'drop first': `Remove the first ${one}.`,
    'drop last': `Remove the last ${one}.`,
    append: `Add ${item} at the end.`,
    prepend: `Add ${item} at the front.`,
    reverse: `Reverse the ${all}.`,
    sort: `Sort the ${all} from A to Z.`,
  };
  return texts[kind];
}

const LETTERS = [...'BCDFGHJKLMNPQRSTVWXYZ'];

/** Never under three items, so that every operation changes something and every slip is possible. */
function draw({ over, items: count, operations: rounds }: Dials, draws: Stream): Transformation {
  const [kinds, names] = [Object.keys(OPERATIONS) as Kind[], draws.shuffle(over === 'words' ? WORDS : LETTERS)]; // its own keys
  const start = names.splice(0, count);
  const operations: Operation[] = [];
  let size = count;
  while (operations.length < rounds) {
    const kind = draws.pick(kinds);
    const change = kind.startsWith('drop') ? -1 : kind.endsWith('pend') ? 1 : 0;
    if (size + change < 4 || size + change > count + 2 || (change > 0 && names.length === 0)) if (change !== 0) continue;
    size += change;
    operations.push(change > 0 ? { kind, item: names.pop()! } : { kind });
  }
  return { over, start, operations };
} // biome-ignore format: one line a statement

/** Words of the vocabulary in order; of letters the last run of capitals, spaced or not. */
function itemsIn(over: Transformation['over'], text: string): string[] {
  if (over === 'words') return (text.toLowerCase().match(/[a-z]+/g) ?? []).filter((word) => VOCABULARY.has(word));
  const runs = text.match(/(?<![A-Za-z])[B-DF-HJ-NP-TV-Z](?:[\s,'"-]*[B-DF-HJ-NP-TV-Z])+(?![A-Za-z])/g);
  return runs?.at(-1)?.match(/[A-Z]/g) ?? [];
}

const VOCABULARY = new Set(WORDS);
