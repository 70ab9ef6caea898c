import type { z } from 'zod';
import { badRequest } from './api-error.ts';

/**
 * Checks a request's body. Fields that are null count as absent, as with OpenAI.
 * @throws ApiError 400 naming the field.
 */
export function readBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw badRequest('the body must be a JSON object');
  }
  const parsed = schema.safeParse(withoutNulls(body));
  if (parsed.success) return parsed.data;
  throw explain(parsed.error.issues[0]!); // a failed parse has one
}

/** Fields that are null count as absent. */
export function withoutNulls(given: unknown): unknown {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return given;
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
}

function explain(issue: z.core.$ZodIssue): Error {
  if (issue.code === 'unrecognized_keys') {
    const param = pathOf([...issue.path, issue.keys[0]!]);
    return badRequest(`${param} is not supported by this server; leave it out`, param, 'unsupported_parameter');
  }
  const param = pathOf(issue.path);
  return badRequest(param === '' ? issue.message : `${param}: ${issue.message}`, param || undefined, 'invalid_value');
}

/** `messages[0].content[1].type` */
function pathOf(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
}
