import { z } from 'zod';
import { nearest } from './nearest.ts';
import type { RecipeSource } from './recipe-source.ts';

type Issue = z.core.$ZodIssue;

/** What one needs of a JSON schema to find the keys that a place may have. */
type JsonSchema = {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly const?: unknown;
};

/** One line that names file, line, column, field and value, and the nearest thing that would be right. */
export function explainIssue(issue: Issue, source: RecipeSource, schema: z.ZodType, value: unknown): string {
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!;
    const known = knownKeys(
      z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema,
      issue.path,
      value,
    );
    const where = issue.path.length > 0 ? ` in ${issue.path.join('.')}` : '';
    return `${source.locate(issue.path, key)}: unknown key "${key}"${where}${nearest(key, known)}`;
  }
  const at = issue.path.length > 0 ? `${issue.path.join('.')} ` : '';
  return `${source.locate(issue.path)}: ${at}${fault(issue, valueAt(value, issue.path))}`;
}

function fault(issue: Issue, value: unknown): string {
  if (value === undefined && issue.code !== 'custom') return 'is missing';
  const shown = typeof value === 'object' ? '' : `is ${JSON.stringify(value)}: `;
  const choices = choicesOf(issue);
  if (choices) return `${shown}not known${nearest(String(value), choices)}`;
  return `${shown}${issue.message}`;
}

function choicesOf(issue: Issue): string[] | undefined {
  if (issue.code === 'invalid_value') return issue.values.map(String);
  if (issue.code === 'invalid_union' && 'options' in issue && Array.isArray(issue.options))
    return issue.options.map(String);
  return undefined;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], value); // any value may be indexed so
}

function knownKeys(schema: JsonSchema, path: readonly PropertyKey[], value: unknown): string[] {
  const chosen = choose(schema, value);
  const [key, ...rest] = path;
  if (key === undefined) return Object.keys(chosen.properties ?? {});
  const next = typeof key === 'number' ? chosen.items : chosen.properties?.[String(key)];
  return next ? knownKeys(next, rest, valueAt(value, [key])) : [];
}

/** Of alternatives told apart by constants, such as `stage: verify`, the one that fits; else the first with properties. */
function choose(schema: JsonSchema, value: unknown): JsonSchema {
  const alternatives = schema.oneOf ?? schema.anyOf ?? [];
  const fits = (one: JsonSchema) =>
    Object.entries(one.properties ?? {}).every(
      ([key, { const: only }]) => only === undefined || valueAt(value, [key]) === only,
    );
  return alternatives.find((one) => one.properties && fits(one)) ?? schema;
}
