import type { Stream } from '../random.ts';
import { isHeldOut } from './held-out.ts';

/**
 * The running sum: a fresh dictionary of digits, a list of keys, one step per key. A step restates the state (the sum
 * so far), so that whether a step is right given what was written before it (locally) and whether it is right given
 * the problem (globally) are two questions, each with an exact answer. After Sinha et al. 2025 (arXiv 2509.09677).
 */
export type RunningSum = {
  /** The dictionary's keys, distinct letters. */
  readonly keys: string;
  /** The digit behind each key. */
  readonly values: readonly number[];
  /** The keys to add up, in order; distinct. */
  readonly list: string;
};

export type Step = { readonly key: string; readonly value: number; readonly sum: number };

export const LETTERS = 'abcdefghijklmnop';

export type RunningSumSize = { readonly keys: number; readonly list: number };

export function drawRunningSum(draws: Stream, size: RunningSumSize): RunningSum {
  const keys = draws.shuffle([...LETTERS]).slice(0, size.keys);
  const values = keys.map(() => draws.integer(10));
  return { keys: keys.join(''), values, list: draws.shuffle(keys).slice(0, size.list).join('') };
}

/** Draws until the problem lies on the wanted side of the split. */
export function drawOnSide(draws: Stream, size: RunningSumSize, heldOut: boolean): RunningSum {
  for (;;) {
    const problem = drawRunningSum(draws, size);
    if (isHeldOut(problemId(problem)) === heldOut) return problem;
  }
}

/** Two problems are the same problem when this is the same. */
export function problemId(problem: RunningSum): string {
  return promptText(problem);
}

export function dictionaryText(problem: RunningSum): string {
  return [...problem.keys].map((key, index) => `${key}${problem.values[index]}`).join('');
}

/** `a3b7c1|cab`: the dictionary, then the keys to add. */
export function promptText(problem: RunningSum): string {
  return `${dictionaryText(problem)}|${problem.list}`;
}

export function lookUp(problem: RunningSum, key: string): number {
  return problem.values[problem.keys.indexOf(key)]!;
}

/** Gives one key of the shard a value that it did not have: `c7`, written before the `+` of the shard. */
export function drawOverride(draws: Stream, problem: RunningSum, shard: string): { text: string; problem: RunningSum } {
  const key = draws.pick([...shard]);
  const value = digit(lookUp(problem, key) + 1 + draws.integer(9));
  const values = problem.values.map((old, index) => (problem.keys[index] === key ? value : old));
  return { text: `${key}${value}`, problem: { ...problem, values } };
}

/** A way of doing one step, right or wrong, from what was written before. */
export type StepRule = (problem: RunningSum, key: string, previousSum: number) => Step;

export const digit = (number: number): number => ((number % 10) + 10) % 10;

export const careful: StepRule = (problem, key, previousSum) => {
  const value = lookUp(problem, key);
  return { key, value, sum: digit(previousSum + value) };
};

/** A systematic wrong rule: every sum is off by the same amount. */
export function misconception(offset: number): StepRule {
  return (problem, key, previousSum) => {
    const right = careful(problem, key, previousSum);
    return { ...right, sum: digit(right.sum + offset) };
  };
}

/** The value is looked up wrongly; the sum then follows from the value as written. */
export function valueSlip(offset: number): StepRule {
  return (problem, key, previousSum) => {
    const value = digit(lookUp(problem, key) + offset);
    return { key, value, sum: digit(previousSum + value) };
  };
}

/** Another key than the one whose turn it is; value and sum follow from it. */
export function keySlip(key: string): StepRule {
  return (problem, _due, previousSum) => careful(problem, key, previousSum);
}

/** The letter is written wrongly, value and sum are those of the key whose turn it is. */
export function letterSlip(letter: string): StepRule {
  return (problem, due, previousSum) => ({ ...careful(problem, due, previousSum), key: letter });
}

/** The sum is added wrongly once: the same act as a misconception, without its persistence. */
export const sumSlip = misconception;

/** Offsets that no list is long enough to bring round to the right answer again, as 5 times 2 would. */
export const MISCONCEPTIONS: readonly number[] = [1, 3, -1];

/** A slip of the hand: value or sum, by any amount. */
export function drawSlip(draws: Stream): StepRule {
  const offset = 1 + draws.integer(9);
  return draws.chance(0.5) ? valueSlip(offset) : sumSlip(offset);
}

/** Works through `list`, step i by `rule(i)`, going on from the sum that stands. */
export function workSteps(
  problem: RunningSum,
  rule: (position: number) => StepRule,
  { list = problem.list, start = 0 }: { list?: string; start?: number } = {},
): Step[] {
  const steps: Step[] = [];
  for (const key of list) steps.push(rule(steps.length)(problem, key, steps.at(-1)?.sum ?? start));
  return steps;
}

/** The right solution. */
export function solve(problem: RunningSum): Step[] {
  return workSteps(problem, () => careful);
}

export const stepText = (step: Step): string => `${step.key}${step.value}${step.sum}`;

export const stepsText = (steps: readonly Step[]): string => steps.map(stepText).join('');

export const answerOf = (steps: readonly Step[]): number => steps.at(-1)!.sum;

/** A worked answer as it is written: the steps, a colon, the answer. */
export const workText = (steps: readonly Step[]): string => `${stepsText(steps)}:${answerOf(steps)}`;

export const sameStep = (a: Step, b: Step): boolean => a.key === b.key && a.value === b.value && a.sum === b.sum;
