import { z } from 'zod';
import { InputError } from '../errors.ts';
import { countdown, countdownDials } from './countdown.ts';
import { dictionarySum, dictionarySumDials } from './dictionary-sum.ts';
import { multiplication, multiplicationDials } from './multiplication.ts';
import type { ProblemFamily } from './problem-family.ts';
import { runningSumFamily } from './running-sum-family.ts';
import { swappedObjects, swappedObjectsDials } from './swapped-objects.ts';
import { transformation, transformationDials } from './transformation.ts';
import { wordProblem, wordProblemDials } from './word-problem.ts';

/** A family by its name, with the dials of its difficulty. */
export type FamilyEntry = {
  readonly name: string;
  readonly summary: string;
  readonly dials: z.ZodType;
  /** The dials at which its problems are easiest and still have steps. */
  readonly easiest: Readonly<Record<string, number>>;
  /** @throws InputError where a dial is unknown or out of its range. */
  open(dials: unknown): ProblemFamily<unknown>;
};

/** The families that come along, in the order of `unrut problems list`. */
export const FAMILIES: readonly FamilyEntry[] = [
  entry('dictionary-sum', 'running sum over a dictionary of words', dictionarySumDials, dictionarySum, {
    entries: 4,
    keys: 2,
    largest: 9,
  }),
  entry('word-problem', 'stories with a number that changes', wordProblemDials, wordProblem, {
    events: 2,
    largest: 10,
    asides: 0,
  }),
  entry('multiplication', 'long multiplication with partial products', multiplicationDials, multiplication, {
    firstDigits: 2,
    secondDigits: 2,
  }),
  entry('swapped-objects', 'who holds what after swaps', swappedObjectsDials, swappedObjects, { people: 3, swaps: 2 }),
  entry('transformation', 'operations on a list or a string', transformationDials, transformation, {
    items: 3,
    operations: 2,
  }),
  entry('countdown', 'reach a target with all the numbers', countdownDials, countdown, {
    numbers: 3,
    largest: 10,
    target: 60,
  }),
  entry('running-sum', "the organism's own notation; not for chat models", z.strictObject({}), () => runningSumFamily),
];

/** What a chat model is asked where nothing else is said. */
export const DEFAULT_FAMILY = 'dictionary-sum';

/** A family of one's own, without dials, beside those that come along. */
export function familyEntry<Problem>(family: ProblemFamily<Problem>, summary: string): FamilyEntry {
  return entry(family.name, summary, z.strictObject({}), () => family);
}

/** @throws InputError where no family has that name. */
export function openFamily(
  name: string,
  dials: Readonly<Record<string, unknown>> = {},
  families: readonly FamilyEntry[] = FAMILIES,
): ProblemFamily<unknown> {
  const names = families.map((family) => family.name);
  const found = families.find((family) => family.name === name);
  if (!found) throw new InputError(`no family "${name}"; there are ${names.join(', ')}`);
  return found.open(dials);
}

function entry<Dials extends z.ZodType, Problem>(
  name: string,
  summary: string,
  dials: Dials,
  make: (dials: z.output<Dials>) => ProblemFamily<Problem>,
  easiest: FamilyEntry['easiest'] = {},
): FamilyEntry {
  const open = (given: unknown): ProblemFamily<unknown> => {
    const parsed = dials.safeParse(given);
    if (parsed.success) return make(parsed.data);
    const issue = parsed.error.issues[0]!; // a failed parse has one
    throw new InputError(`${name}: ${issue.path.join('.') || 'dials'}: ${issue.message}`);
  };
  return { name, summary, dials, easiest, open };
}
