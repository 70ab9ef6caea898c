import { z } from 'zod';
import type { Stream } from '../random.ts';
import { affirmed } from './final-answer.ts';
import { resultsIn, withoutCommas } from './numbers.ts';
import type { Manner, ProblemFamily, WorkedStep } from './problem-family.ts';
import { chatFamily } from './worked-task.ts';

/**
 * Long multiplication: one partial product for each digit of the second number, then one addition for each product
 * after the first. The task on which small models learn to check themselves (Yu 2025, arXiv 2510.12157).
 */
export type Multiplication = { readonly first: number; readonly second: number };

/** `factor`: the part of the second number that a partial product is of, 600 of 673; absent for an addition. */
type Step = { readonly factor?: number; readonly result: number };

export const multiplicationDials = z.strictObject({
  firstDigits: z.int().min(2).max(7).default(3).describe('digits of the first number'),
  secondDigits: z.int().min(2).max(7).default(3).describe('digits of the second number: twice that, less one, are the steps'),
}); // biome-ignore format: one dial a line

export function multiplication(dials: z.output<typeof multiplicationDials>): ProblemFamily<Multiplication> {
  return chatFamily<Multiplication, Step>({
    name: 'multiplication',
    slips: ['digit', 'place'],
    misconceptions: ['carry forgotten', 'carry doubled', 'one too many'],
    replyTokens: 150 + 80 * dials.secondDigits,
    instruction:
      'Multiply with partial products, the units of the second number first: a line for each partial product, then a line for each addition to the sum so far. For 12 × 34 that is "Step 1: 12 × 4 = 48", "Step 2: 12 × 30 = 360", "Step 3: 48 + 360 = 408".',
    answerForm: '<number>',
    draw: (draws) => ({ first: drawNumber(dials.firstDigits, draws), second: drawNumber(dials.secondDigits, draws) }),
    pieces: ({ first, second }) => [`The first number is ${first}.`, `The second number is ${second}.`, 'Multiply them.'],
    length: ({ second }) => 2 * String(second).length - 1,
    next: (problem, before, manner, draws) => ({ ...partOf(problem, before.length), result: result(problem, before, manner, draws) }),
    line: ({ first }, before, { factor, result: total }) =>
      factor === undefined ? `${summands(before).join(' + ')} = ${total}` : `${first} × ${factor} = ${total}`,
    parse,
    key: ({ factor, result: total }) => `${factor} ${total}`,
    judge,
    concludes: (_, steps) => String(steps.at(-1)!.result),
    answersIn: (_, statement) => affirmed(statement).flatMap(resultsIn),
    amend(problem, draws) {
      let second = problem.second;
      while (second === problem.second) second = drawNumber(dials.secondDigits, draws);
      const said = (now: number) => `Correction: the second number is ${now}.`;
      return { text: said(second), same: said(problem.second), changed: { ...problem, second } };
    },
  });
} // biome-ignore format: one line a member

/** Without zeros, and without ones, so that there is a product to make at every digit. */
function drawNumber(digits: number, draws: Stream): number {
  return Number(Array.from({ length: digits }, () => 2 + draws.integer(8)).join(''));
}

/** The digits of the second number with their places, units first: 3, 70, 600. */
function factors({ second }: Multiplication): number[] {
  return [...String(second)].reverse().map((digit, place) => Number(digit) * 10 ** place);
}

function partOf(problem: Multiplication, at: number): { factor?: number } {
  const factor = factors(problem)[at];
  return factor === undefined ? {} : { factor };
}

/** What the next addition adds: the sum so far, or the first product, and the next product. */
function summands(before: readonly Step[]): readonly [sum: number, product: number] {
  const products = before.filter(({ factor }) => factor !== undefined);
  const done = before.length - products.length;
  return [done === 0 ? products[0]!.result : before.at(-1)!.result, products[done + 1]?.result ?? 0];
}

function result(problem: Multiplication, before: readonly Step[], manner: Manner, draws: Stream): number {
  const { factor } = partOf(problem, before.length);
  const by = (carry: number) =>
    factor === undefined ? addByHand(...summands(before), carry) : multiplyByHand(problem.first, factor, carry);
  if (manner.kind === 'right') return by(1);
  if (manner.kind === 'misconception') return HABITS[manner.name]!(by);
  const right = by(1);
  if (manner.what === 'digit') return right + draws.pick([1, -1]) * 10 ** draws.integer(String(right).length - 1);
  if (factor !== undefined) return right * 10;
  return summands(before)[0] + 10 * summands(before)[1];
}

const HABITS: Readonly<Record<string, (by: (carry: number) => number) => number>> = {
  'carry forgotten': (by) => by(0),
  'carry doubled': (by) => by(2),
  'one too many': (by) => by(1) + 1,
};

/** By the digit and its place; every carry counts `weight` times. */
function multiplyByHand(first: number, factor: number, weight: number): number {
  const zeros = String(factor).length - 1;
  const digit = factor / 10 ** zeros;
  return byHand([...String(first)].reverse().map((other) => Number(other) * digit), weight) * 10 ** zeros; // biome-ignore format: one line
}

function addByHand(first: number, second: number, weight: number): number {
  const [a, b] = [[...String(first)].reverse(), [...String(second)].reverse()];
  const columns = Array.from({ length: Math.max(a.length, b.length) }, (_, at) => Number(a[at] ?? 0) + Number(b[at] ?? 0));
  return byHand(columns, weight);
} // biome-ignore format: one line a statement

/** Columns, units first, brought to digits with carries. */
function byHand(columns: readonly number[], weight: number): number {
  let carry = 0;
  let total = 0;
  for (const [place, column] of columns.entries()) {
    const here = column + carry;
    total += (here % 10) * 10 ** place;
    carry = Math.floor(here / 10) * weight;
  }
  return total + (weight === 0 ? 0 : carry * 10 ** columns.length);
}

/** Either order of a product's numbers. An addition states its sum, whatever it is of. */
function parse({ first }: Multiplication, line: string): Step | undefined {
  const total = Number(resultsIn(line)[0] ?? Number.NaN);
  if (!line.includes('=') || Number.isNaN(total)) return undefined;
  const product = /(\d+)\s*[×x*]\s*(\d+)/i.exec(withoutCommas(line));
  if (product === null) return line.includes('+') ? { result: total } : undefined;
  const factor = Number(product[1]) === first ? Number(product[2]) : Number(product[1]);
  return { factor, result: total };
}

/** The products may come in any order, each once; a sum is of the products as they come. */
function judge(problem: Multiplication, steps: readonly Step[], at: number): Pick<WorkedStep, 'right' | 'locallyRight'> {
  const { factor, result: total } = steps[at]!;
  const before = steps.slice(0, at);
  const parts = factors(problem);
  if (factor !== undefined) {
    const fresh = parts.includes(factor) && !before.some((step) => step.factor === factor);
    const right = fresh && total === problem.first * factor;
    return { right, locallyRight: right };
  }
  if (before.filter((step) => step.factor !== undefined).length !== parts.length) return { right: false, locallyRight: false };
  const [sum, product] = summands(before);
  const added = before.flatMap((step) => step.factor ?? []).slice(0, at - parts.length + 2);
  const truth = problem.first * added.reduce((all, part) => all + part, 0);
  return { right: total === truth, locallyRight: total === sum + product };
} // biome-ignore format: one line a statement
