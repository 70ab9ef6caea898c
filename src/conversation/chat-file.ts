import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { parseJsonLine } from '../disk/json-line.ts';
import { InputError } from '../errors.ts';
import type { Turn } from './conversation.ts';

/** A turn of a given chat, and its weight in the loss where it is the assistant's. */
export type ChatTurn = { readonly turn: Turn; readonly weight: number };

const textPart = z.object({ type: z.literal('text'), text: z.string() });

/** What a message says: a text, or parts that are all text. */
const content = z.union([z.string(), z.array(textPart).transform((parts) => parts.map(({ text }) => text).join(''))]);

const messageSchema = z.strictObject({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content,
  /** As the field writes it: 0 leaves an assistant's message out of the loss. */
  weight: z.number().nonnegative().default(1),
});

const rowSchema = z
  .object({ messages: z.array(messageSchema).min(2) })
  .refine(({ messages }) => messages.at(-1)?.role === 'assistant', {
    path: ['messages'],
    error: 'must end with an assistant message, which is what is learnt',
  });

/**
 * Reads chats, one JSON object a line with `messages` of `role` and `content`, as fine-tuning services take them.
 * @throws InputError that names file, line and field of the first thing that is wrong.
 */
export async function readChats(path: string): Promise<ChatTurn[][]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new InputError(`${path}: cannot be read (${error.code})`);
  });
  const lines = text.split(/\r?\n/);
  const chats = lines.flatMap((line, index) => (line.trim() === '' ? [] : [parseChat(line, `${path}:${index + 1}`)]));
  if (chats.length > 0) return chats;
  throw new InputError(`${path}: holds no chat; a line is {"messages": [{"role": "user", "content": ...}, ...]}`);
}

function parseChat(line: string, where: string): ChatTurn[] {
  const parsed = rowSchema.safeParse(parseJsonLine(line, where));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new InputError(`${where}: ${issue?.path.join('.') || 'line'}: ${issue?.message}`);
  }
  return parsed.data.messages.map(({ role, content: text, weight }) => ({ turn: { role, text, origin: 'given' }, weight }));
} // biome-ignore format: one line a statement
