import { z } from 'zod';
import type { Stream } from '../random.ts';
import { type Expression, evaluate, expressionsIn, OPERATORS, type Operator, operate } from './expression.ts';
import { withoutCommas } from './numbers.ts';
import type { Manner, ProblemFamily, WorkedStep } from './problem-family.ts';
import { chatFamily } from './worked-task.ts';

/**
 * Countdown: all numbers, each once, with + - × ÷ to the target. There are many right ways, so a step is right when it
 * is legal and the target can still be reached after it. After Gandhi 2024 (Stream of Search, arXiv 2404.03683).
 */
export type Countdown = { readonly numbers: readonly number[]; readonly target: number };

/** Two numbers of those left, and what they make. */
type Step = { readonly a: number; readonly operator: Operator; readonly b: number; readonly result: number };

export const countdownDials = z.strictObject({
  numbers: z.int().min(3).max(6).default(4).describe('numbers to use: one more than the steps'),
  largest: z.int().min(5).max(100).default(20).describe('largest number'),
  target: z.int().min(20).max(10_000).default(200).describe('largest target'),
});
type Dials = z.output<typeof countdownDials>;

export function countdown(dials: Dials): ProblemFamily<Countdown> {
  return chatFamily<Countdown, Step>({
    name: 'countdown',
    slips: ['arithmetic', 'number'],
    misconceptions: ['one too many', 'ten too many', 'signs confused'],
    replyTokens: 400 + 100 * dials.numbers,
    instruction:
      'Reach the target with all of the numbers, each used once, and + - × ÷. Every result has to be a positive whole number. Write one line an operation, on numbers that are left, like "Step 1: 9 - 2 = 7".',
    answerForm: '<expression, like (9 - 2) × 5>',
    draw: (draws) => draw(dials, draws),
    pieces: ({ numbers, target }) => [`The numbers are ${numbers.join(', ')}.`, `The target is ${target}.`],
    length: ({ numbers }) => numbers.length - 1,
    next: (problem, before, manner, draws) => nextStep(problem, before, manner, draws),
    line: (_, _before, { a, operator, b, result }) => `${a} ${operator} ${b} = ${result}`,
    parse: (_, line) => parse(line),
    key: ({ a, operator, b, result }) => `${a} ${operator} ${b} ${result}`,
    judge,
    concludes: ({ numbers }, steps) => expressionOf(numbers, steps),
    answersIn: (_, statement) => expressionsIn(statement),
    solves: ({ numbers, target }, answer) => {
      const { value, numbers: used } = evaluate(answer) ?? {};
      return value === target && sorted(used ?? []) === sorted(numbers);
    },
  });
}

const sorted = (numbers: readonly number[]): string => numbers.toSorted((a, b) => a - b).join();

/** Numbers combined at random: a way to the target is known to exist. */
function draw({ numbers: count, largest, target: limit }: Dials, draws: Stream): Countdown {
  const numbers = Array.from({ length: count }, () => 1 + draws.integer(largest));
  let pool = numbers;
  while (pool.length > 1) pool = spend(pool, draws.pick(possible(pool)))!;
  const target = pool[0]!;
  return target >= 10 && target <= limit ? { numbers, target } : draw({ numbers: count, largest, target: limit }, draws);
} // biome-ignore format: one line a statement

/** The legal operations on these numbers. */
function possible(pool: readonly number[]): Step[] {
  return pool.flatMap((a, i) =>
    pool.flatMap((b, j) => {
      if (i === j) return [];
      return OPERATORS.flatMap((operator) => {
        const result = operate(a, operator, b);
        const twice = i > j && (operator === '+' || operator === '×');
        return Number.isInteger(result) && result > 0 && !twice ? [{ a, operator, b, result }] : [];
      });
    }),
  );
}

/** What is left after a step; undefined where its numbers are not there. */
function spend(pool: readonly number[], { a, b, result }: Step): number[] | undefined {
  const left = [...pool];
  for (const number of [a, b]) {
    const at = left.indexOf(number);
    if (at < 0) return undefined;
    left.splice(at, 1);
  }
  return [...left, result];
}

/** The numbers left after these steps; a step that uses what is not there leaves its result all the same. */
function poolAfter({ numbers }: Countdown, steps: readonly Step[]): readonly number[] {
  return steps.reduce<readonly number[]>(
    (pool, { a, b, result }) => [...without(without(pool, a), b), result],
    numbers,
  );
}

function without(pool: readonly number[], number: number): readonly number[] {
  const at = pool.indexOf(number);
  return at < 0 ? pool : pool.toSpliced(at, 1);
}

/** The first steps of a way to the target, tried in a fixed order; `dead` keeps what led nowhere. */
function reach(pool: readonly number[], target: number, dead = new Set<string>()): Step[] | undefined {
  if (pool.length <= 1) return pool[0] === target ? [] : undefined;
  const known = sorted(pool);
  if (dead.has(known)) return undefined;
  for (const step of possible(pool)) {
    const rest = reach(spend(pool, step)!, target, dead);
    if (rest) return [step, ...rest];
  }
  dead.add(known);
  return undefined;
}

function nextStep(problem: Countdown, before: readonly Step[], manner: Manner, draws: Stream): Step {
  const pool = poolAfter(problem, before);
  const right = reach(pool, problem.target)?.[0] ?? fallback(pool);
  if (manner.kind === 'right') return right;
  if (manner.kind === 'misconception') return HABITS[manner.name]!(right);
  if (manner.what === 'arithmetic') return { ...right, result: right.result + 1 + draws.integer(9) };
  const strange = right.a + 1 + draws.integer(9);
  return { ...right, a: strange, result: Math.max(1, Math.floor(operate(strange, right.operator, right.b))) };
}

/** Where no way leads to the target any more, something legal: the sum of two numbers is always that. */
const fallback = ([a = 0, b = 0]: readonly number[]): Step => ({ a, operator: '+', b, result: a + b });

const HABITS: Readonly<Record<string, (right: Step) => Step>> = {
  'one too many': (right) => ({ ...right, result: right.result + 1 }),
  'ten too many': (right) => ({ ...right, result: right.result + 10 }),
  'signs confused': (right) => ({ ...right, result: right.operator === '+' ? right.a * right.b : right.a + right.b }),
};

function parse(line: string): Step | undefined {
  const stated = /(\d+)\s*([-+×x*÷/])\s*(\d+)\s*=\s*(-?\d+)/i.exec(withoutCommas(line));
  if (!stated) return undefined;
  const [expression] = expressionsIn(`${stated[1]}${stated[2]}${stated[3]}`);
  const operator = OPERATORS.find((sign) => expression?.includes(` ${sign} `));
  return operator && { a: Number(stated[1]), operator, b: Number(stated[3]), result: Number(stated[4]) };
}

/** Legal where it stands; right while everything before it was legal too and the target is within reach. */
function judge(problem: Countdown, steps: readonly Step[], at: number): Pick<WorkedStep, 'right' | 'locallyRight'> {
  const legal = (index: number): boolean => isLegal(poolAfter(problem, steps.slice(0, index)), steps[index]!);
  const locallyRight = legal(at);
  const clean = locallyRight && Array.from({ length: at }, (_, index) => index).every(legal);
  return { locallyRight, right: clean && reach(poolAfter(problem, steps.slice(0, at + 1)), problem.target) !== undefined };
} // biome-ignore format: one line a statement

function isLegal(pool: readonly number[], step: Step): boolean {
  const result = operate(step.a, step.operator, step.b);
  return spend(pool, step) !== undefined && result === step.result && Number.isInteger(result) && result > 0;
}

/** The steps as one expression of the numbers given, whatever they were said to make. */
function expressionOf(numbers: readonly number[], steps: readonly Step[]): Expression {
  const parts = numbers.map((value) => ({ value, text: String(value) }));
  const take = (value: number) => {
    const at = parts.findIndex((part) => part.value === value);
    return at < 0 ? String(value) : parts.splice(at, 1)[0]!.text;
  };
  let text = '';
  for (const { a, operator, b, result } of steps) {
    const [left, right] = [take(a), take(b)];
    text = `${left} ${operator} ${right}`;
    parts.push({ value: result, text: `(${text})` });
  }
  return text;
}
