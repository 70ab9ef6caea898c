import { InputError } from '../errors.ts';
import { FAMILIES, type FamilyEntry, openFamily } from '../problems/families.ts';
import { type GivenReplies, type OwnProblem, ownProblems, readOwnProblems } from '../problems/own-problems.ts';
import type { ProblemFamily } from '../problems/problem-family.ts';

/**
 * A family by name with `--set dial=value`, or a file of one's own (`.jsonl`) with the wrong replies that `replies` hands
 * in.
 * @throws InputError where there is no such family, dial or file.
 */
export async function openProblems(
  name: string,
  settings: readonly string[] = [],
  replies: (problems: readonly OwnProblem[]) => GivenReplies = () => new Map(),
  families: readonly FamilyEntry[] = FAMILIES,
): Promise<ProblemFamily<unknown>> {
  if (!name.endsWith('.jsonl')) return openFamily(name, Object.fromEntries(settings.map(dialSetting)), families);
  if (settings.length > 0) throw new InputError(`--set ${settings[0]}: a file of one's own has no dials`);
  const problems = await readOwnProblems(name);
  return ownProblems(name, problems, replies(problems));
}

function dialSetting(setting: string): [string, unknown] {
  const [, dial, value] = /^([a-zA-Z]+)=(.+)$/.exec(setting) ?? [];
  if (dial === undefined || value === undefined) throw new InputError(`--set ${setting}: it must be dial=value`);
  return [dial, /^-?\d+$/.test(value) ? Number(value) : value];
}
