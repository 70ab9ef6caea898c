import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { parseJsonLine } from '../disk/json-line.ts';
import { InputError } from '../errors.ts';
import type { Conversation } from './conversation.ts';

/** Two replies to the same conversation, of which one is preferred. */
export type Preference = { readonly prompt: Conversation; readonly chosen: string; readonly rejected: string };

const message = z.strictObject({ role: z.enum(['system', 'user', 'assistant']), content: z.string() });

/** A text, or one assistant message with it, as preference data sets write it. */
const reply = z.union([
  z.string().min(1),
  z.tuple([message.extend({ role: z.literal('assistant') })]).transform(([{ content }]) => content),
]);

const rowSchema = z
  .object({
    prompt: z.union([z.string().min(1), z.array(message).min(1)]),
    chosen: reply,
    rejected: reply,
  })
  .refine(({ chosen, rejected }) => chosen !== rejected, { path: ['rejected'], error: 'is the same as chosen' });

/**
 * Reads preferences, one JSON object a line with `prompt`, `chosen` and `rejected`; other fields are passed over.
 * @throws InputError that names file, line and field of the first thing that is wrong.
 */
export async function readPreferences(path: string): Promise<Preference[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new InputError(`${path}: cannot be read (${error.code})`);
  });
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const rows = lines.flatMap((line, at) => (line.trim() === '' ? [] : [parseRow(line, `${path}:${at + 1}`)]));
  if (rows.length > 0) return rows;
  throw new InputError(`${path}: holds no preference; a line is {"prompt": ..., "chosen": ..., "rejected": ...}`);
}

function parseRow(line: string, where: string): Preference {
  const parsed = rowSchema.safeParse(parseJsonLine(line, where));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new InputError(`${where}: ${issue?.path.join('.') || 'line'}: ${issue?.message}`);
  }
  const { prompt, chosen, rejected } = parsed.data;
  const messages = typeof prompt === 'string' ? [{ role: 'user' as const, content: prompt }] : prompt;
  return { prompt: messages.map(({ role, content }) => ({ role, text: content, origin: 'given' })), chosen, rejected };
}
