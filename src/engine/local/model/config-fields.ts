import { distance } from 'fastest-levenshtein';
import type { z } from 'zod';

/** @file How the fields of a `config.json` are checked, and what is said of one that is wrong. */

/** Throws, naming the file. */
export type Fail = (message: string) => never;

export type Raw = Readonly<Record<string, unknown>>;

/** Checks these fields of a file. @param spelled every name that may stand in it. */
export function parseFields<Schema extends z.ZodObject>(
  schema: Schema,
  value: Raw,
  spelled: readonly string[],
  fail: Fail,
): z.output<Schema> {
  checkSpelling(value, spelled, fail);
  const parsed = schema.safeParse(value);
  return parsed.success ? parsed.data : fail(wordingOf(parsed.error.issues[0]!, value)); // a failed parse has an issue
}

/** A field misspelt by a letter would silently take its default, and be another model. */
function checkSpelling(value: Raw, spelled: readonly string[], fail: Fail): void {
  for (const key of Object.keys(value).filter((candidate) => !spelled.includes(candidate))) {
    const meant = spelled.find((name) => distance(name, key) <= 2);
    if (meant !== undefined) fail(`${key} is not known; did you mean ${meant}?`);
  }
}

function wordingOf(issue: z.core.$ZodIssue, value: unknown): string {
  if (issue.code === 'unrecognized_keys') return `${issue.keys[0]} is not supported; delete it if it changes nothing`;
  const field = issue.path.join('.');
  const given = issue.path.reduce((at: unknown, key) => Object(at)[key], value);
  if (given === undefined && issue.code !== 'invalid_value') return `${field} is missing`;
  const wanted =
    'values' in issue ? `supported is ${issue.values.map((one) => JSON.stringify(one)).join(', ')}` : issue.message;
  return `${field} is ${JSON.stringify(given)?.slice(0, 80)}; ${wanted}`;
}
