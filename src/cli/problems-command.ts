import { z } from 'zod';
import type { FamilyEntry } from '../problems/families.ts';
import { stockReplies } from '../problems/own-problems.ts';
import { type Manner, type ProblemFamily, RIGHT } from '../problems/problem-family.ts';
import { type Validation, validate } from '../problems/validate.ts';
import { type Stream, stream } from '../random.ts';
import { columnsOf, wrapped } from '../report/fit.ts';
import { printTable } from '../report/print-table.ts';
import { EXIT } from './exit.ts';
import { openProblems } from './open-problems.ts';
import { print, printJson } from './print.ts';

/** Those that come along, and a program's own. */
type Families = readonly FamilyEntry[];

export type FamilyOptions = { readonly seed: number; readonly set?: readonly string[]; readonly json?: boolean };

/** `unrut problems list`: the families and their dials. */
export function listProblems({ json }: { readonly json?: boolean }, known: Families): number {
  const families = known.map(({ name, summary, dials }) => ({ name, summary, dials: dialsOf(dials) }));
  if (json) return asJson(families);
  const parts = families.map(({ name, summary, dials }) =>
    [`${name}: ${summary}`, ...dials.map((dial) => `  ${dial.name}=${dial.default}: ${dial.meaning}`)].join('\n'),
  );
  const text = [...parts, 'A file of your own (.jsonl with question and answer, docs/data.md) is a family too.'];
  print(`${wrapped(text.join('\n\n'), columnsOf() ?? PAGE)}\n`);
  return EXIT.ok;
}

/** Columns of a page, where there is no terminal that has its own. */
const PAGE = 100;

const jsonDials = z.object({
  properties: z.record(z.string(), z.looseObject({ default: z.unknown(), description: z.string().optional() })),
});

function dialsOf(dials: z.ZodType): { name: string; default: unknown; meaning: string }[] {
  const { properties } = jsonDials.parse(z.toJSONSchema(dials, { io: 'input' }));
  return Object.entries(properties).map(([name, dial]) => {
    return { name, default: dial.default, meaning: dial.description ?? '' };
  });
}

/** `unrut problems show FAMILY`: a problem, its right solution, and every wrong turn. */
export async function showProblem(
  name: string,
  { seed, set, json }: FamilyOptions,
  families: Families,
): Promise<number> {
  const family = await familyOf(name, set, families);
  const draws = stream(seed, 'show', family.name);
  const problem = family.drawTest(draws);
  const works = manners(family, family.length(problem), draws).map(([title, manner]) => {
    return { title, reply: family.reply(family.work(problem, manner, draws)) };
  });
  const { prompt, challenge } = { prompt: family.prompt(problem), challenge: family.challenge };
  const shards = family.shards(problem, draws).turns;
  if (json) return asJson({ family: family.name, id: family.id(problem), prompt, works, challenge, shards });
  const parts = [['problem', prompt], ...works.map(({ title, reply }) => [title, reply]), ['challenge', challenge], ['one piece a turn', shards.join('\n---\n')]];
  print(parts.map(([title, text]) => `== ${title} ==\n${text}\n`).join('\n'));
  return EXIT.ok;
} // biome-ignore format: one line a statement

/** The right way, and each wrong one. */
function manners(family: ProblemFamily<unknown>, length: number, draws: Stream): [string, (at: number) => Manner][] {
  const position = draws.integer(length);
  return [
    ['right', () => RIGHT],
    ...family.slips.map((what): [string, (at: number) => Manner] => [
      `slip "${what}" in step ${position + 1}`,
      (at) => (at === position ? { kind: 'slip', what } : RIGHT),
    ]),
    ...family.misconceptions.map((name): [string, () => Manner] => [
      `misconception "${name}"`,
      () => ({ kind: 'misconception', name }),
    ]),
  ];
}

/** `unrut problems validate [FAMILY]`: grades what the families say of themselves. */
export async function validateProblems(
  name: string | undefined,
  { seed, set, json, problems }: FamilyOptions & { readonly problems: number },
  families: Families,
): Promise<number> {
  const names = name === undefined ? families.map((family) => family.name) : [name];
  const validations: Validation[] = [];
  for (const each of names) validations.push(validate(await familyOf(each, set, families), problems, seed));
  if (json) printJson(validations);
  else print(validations.map(renderValidation).join('\n'));
  return validations.some(({ checks }) => checks.some(({ failed }) => failed > 0)) ? EXIT.error : EXIT.ok;
}

function renderValidation({ family, problems, checks }: Validation): string {
  const table = printTable([family, 'tried', 'failed'], [1, 2]);
  for (const { name, tried, failed } of checks) table.push([name, tried, failed]);
  const failures = checks.filter(({ failed }) => failed > 0);
  const examples = failures.map(({ name, example }) => `${name}, for example:\n${example}\n`);
  const verdict = failures.length === 0 ? 'all hold' : `${failures.length} do not hold`;
  return `${table}\n${family}: ${checks.length} checks on ${problems} problems, ${verdict}\n${examples.join('\n')}`;
} // biome-ignore format: one line a statement

/** A file of one's own is tried with wrong replies that no model would be measured by. */
const familyOf = (name: string, settings: readonly string[] | undefined, families: Families) =>
  openProblems(name, settings, stockReplies, families);

function asJson(value: unknown): number {
  printJson(value);
  return EXIT.ok;
}
