import { z } from 'zod';
import type { Stream } from '../random.ts';
import { affirmed } from './final-answer.ts';
import { numbersIn, resultsIn } from './numbers.ts';
import type { ProblemFamily } from './problem-family.ts';
import { chatFamily } from './worked-task.ts';

/**
 * A story in which somebody's stock changes step by step, with the amounts in words and, by the dial, sentences that have
 * nothing to do with it. Every step restates how many there are then. Of the kind of GSM8K (Cobbe 2021, arXiv 2110.14168).
 */
export type WordProblem = {
  readonly name: string;
  readonly things: string;
  readonly start: number;
  readonly events: readonly Event[];
  /** Sentences beside the point, by the event they stand before. */
  readonly asides: readonly { readonly before: number; readonly text: string }[];
};

/** `packs`: `amount` of them with `each` in it. `double`: as many again as there are. */
type Event =
  | { readonly kind: 'gain' | 'lose'; readonly amount: number; readonly each: 1 }
  | { readonly kind: 'packs'; readonly amount: number; readonly each: number }
  | { readonly kind: 'double' };

/** `expression` is how the result is shown, and what it comes to is the step. */
type Step = { readonly expression: string; readonly result: number };

export const wordProblemDials = z.strictObject({
  events: z.int().min(2).max(20).default(6).describe('things that happen: steps'),
  largest: z.int().min(10).max(999).default(30).describe('largest amount named'),
  asides: z.int().min(0).max(5).default(1).describe('sentences with numbers that do not matter'),
});
type Dials = z.output<typeof wordProblemDials>;

const NAMES = ['Mia', 'Omar', 'Lena', 'Ravi', 'Sofia', 'Tom', 'Yuki', 'Ada', 'Ben', 'Noor'] as const;
const THINGS = ['marbles', 'stickers', 'shells', 'stamps', 'coins', 'beads', 'pencils', 'buttons'] as const;

export function wordProblem(dials: Dials): ProblemFamily<WordProblem> {
  return chatFamily<WordProblem, Step>({
    name: 'word-problem',
    slips: ['arithmetic', 'amount', 'operation'],
    misconceptions: ['reversed', 'one too many', 'ten too many'],
    replyTokens: 150 + 40 * dials.events,
    instruction:
      'Solve the problem step by step: one line for each thing that changes the number, in order, with the number that there is then, like "Step 1: 20 + 5 = 25."',
    answerForm: '<number>',
    draw: (draws) => draw(dials, draws),
    pieces,
    length: ({ events }) => events.length,
    next(problem, before, manner, draws) {
      const stock = before.at(-1)?.result ?? problem.start;
      const event = problem.events[before.length]!;
      if (manner.kind === 'right') return apply(event, stock, 1);
      if (manner.kind === 'misconception') return HABITS[manner.name]!(event, stock);
      return SLIPS[manner.what]!(event, stock, draws);
    },
    line: (_, _before, { expression, result }) => `${expression} = ${result}.`,
    parse(_, line) {
      const result = line.includes('=') ? Number(resultsIn(line)[0] ?? Number.NaN) : numbersIn(line).at(-1);
      if (result === undefined || Number.isNaN(result)) return undefined;
      return { expression: line.slice(0, line.lastIndexOf('=')).trim(), result };
    },
    key: ({ result }) => String(result),
    concludes: (_, steps) => String(steps.at(-1)!.result),
    answersIn: (_, statement) => affirmed(statement).flatMap(resultsIn),
    amend(problem, draws) {
      const start = problem.start + 1 + draws.integer(9);
      const said = (now: number) => `Correction: ${problem.name} starts with ${now} ${problem.things}.`;
      return { text: said(start), same: said(problem.start), changed: { ...problem, start } };
    },
  });
}

const amountOf = (event: Event, stock: number): number => (event.kind === 'double' ? stock : event.amount * event.each);

/** `times` -1 does the opposite. */
function apply(event: Event, stock: number, times: 1 | -1): Step {
  const sign = (event.kind === 'lose' ? -1 : 1) * times;
  const shown = event.kind === 'packs' ? `${event.amount} × ${event.each}` : String(amountOf(event, stock));
  return { expression: `${stock} ${sign < 0 ? '-' : '+'} ${shown}`, result: stock + sign * amountOf(event, stock) };
}

const off = (step: Step, by: number): Step => ({ ...step, result: step.result + by });

const HABITS: Readonly<Record<string, (event: Event, stock: number) => Step>> = {
  reversed: (event, stock) => apply(event, stock, -1),
  'one too many': (event, stock) => off(apply(event, stock, 1), 1),
  'ten too many': (event, stock) => off(apply(event, stock, 1), 10),
};

const SLIPS: Readonly<Record<string, (event: Event, stock: number, draws: Stream) => Step>> = {
  arithmetic: (event, stock, draws) => off(apply(event, stock, 1), draws.pick([1, 2, 10, -1, -2, -10])),
  amount: (event, stock, draws) => {
    const by = draws.pick([1, 2, 3]);
    return event.kind === 'double'
      ? { expression: `${stock} + ${stock + by}`, result: 2 * stock + by }
      : apply({ ...event, amount: event.amount + by }, stock, 1);
  },
  operation: (event, stock) => apply(event, stock, -1),
};

function pieces({ name, things, start, events, asides }: WordProblem): string[] {
  const told = events.flatMap((event, index) => [
    ...asides.filter(({ before }) => before === index).map(({ text }) => text),
    sentence(event, things),
  ]);
  return [`How many ${things} does ${name} have in the end?`, `${name} starts with ${start} ${things}.`, ...told];
}

function sentence(event: Event, things: string): string {
  if (event.kind === 'gain') return `Then ${event.amount} more ${things} are found.`;
  if (event.kind === 'lose') return `Then ${event.amount} ${things} are given away.`;
  if (event.kind === 'packs') return `Then ${event.amount} bags with ${event.each} ${things} each are bought.`;
  return `Then a friend brings as many ${things} as there are already.`;
}

/** Amounts are such that the stock never runs out, and that no wrong way comes to the right number. */
function draw({ events: count, largest, asides }: Dials, draws: Stream): WordProblem {
  const things = draws.pick(THINGS);
  const start = 5 + draws.integer(largest - 4);
  const events: Event[] = [];
  let stock = start;
  while (events.length < count) {
    const event = drawEvent(draws, stock, largest);
    events.push(event);
    stock = apply(event, stock, 1).result;
  }
  const texts = draws.shuffle(ASIDES).slice(0, asides);
  const told = texts.map((text) => ({ before: draws.integer(count), text: text(draws, things) }));
  return { name: draws.pick(NAMES), things, start, events, asides: told };
}

function drawEvent(draws: Stream, stock: number, largest: number): Event {
  const kind = draws.weighted({ gain: 3, lose: 3, packs: 3, double: stock <= largest ? 1 : 0 });
  if (kind === 'double') return { kind };
  if (kind === 'packs') return { kind, amount: 2 + draws.integer(4), each: 3 + draws.integer(7) };
  if (kind === 'lose' && stock > 3) return { kind, amount: 2 + draws.integer(Math.min(largest, stock - 2) - 1), each: 1 };
  return { kind: 'gain', amount: 2 + draws.integer(largest - 1), each: 1 };
} // biome-ignore format: a kind a line

const ASIDES: readonly ((draws: Stream, things: string) => string)[] = [
  (draws) => `It is ${1 + draws.integer(12)} o'clock by now.`,
  (draws) => `The shop is ${2 + draws.integer(30)} minutes away.`,
  (draws) => `A neighbour is ${20 + draws.integer(60)} years old.`,
  (draws, things) => `Somebody else owns ${10 + draws.integer(80)} ${things}, which do not count here.`,
  (draws) => `The bus costs ${2 + draws.integer(5)} coins a ride, and is not taken.`,
];
