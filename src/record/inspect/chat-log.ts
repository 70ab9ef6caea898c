import { z } from 'zod';
import { HEADER, sampleEntry } from './eval-log.ts';

/**
 * @file Conversations in the two forms in which data sets of chats are handed round, as if they were an Inspect log:
 * OpenAI's (`messages` with `role` and `content`) and ShareGPT's (`conversations` with `from` and `value`).
 */

const openAi = z.looseObject({ messages: z.array(z.looseObject({ role: z.string(), content: z.unknown() })).min(1) });
const shareGpt = z.looseObject({
  conversations: z.array(z.looseObject({ from: z.string(), value: z.string() })).min(1),
});

const key = z.looseObject({
  id: z.union([z.string(), z.number()]).optional().catch(undefined),
  target: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .catch(undefined),
  answer: z.union([z.string(), z.number()]).optional().catch(undefined),
});

const ROLES: Readonly<Record<string, string>> = {
  human: 'user', user: 'user', gpt: 'assistant', chatgpt: 'assistant', bing: 'assistant', bard: 'assistant', model: 'assistant',
  assistant: 'assistant', system: 'system', developer: 'system', tool: 'tool', function: 'tool', observation: 'tool', function_call: 'tool',
}; // biome-ignore format: a table

/** Each line or row a conversation; one that is none is damaged by itself. */
export function chatEntries(name: string, rows: readonly string[]) {
  const samples = new Map(rows.map((row, index) => [sampleEntry(`row ${index + 1}`, 1), { row, index }]));
  const header = JSON.stringify({ status: 'success', eval: { task: name } });
  return {
    names: [HEADER, ...samples.keys()],
    text: async (entry: string) => {
      const found = samples.get(entry);
      return found ? JSON.stringify(sampleOf(JSON.parse(found.row), found.index)) : header;
    },
    close: async () => {},
  };
}

function sampleOf(row: unknown, index: number): object {
  const { id, target, answer } = key.parse(row);
  return {
    id: id ?? `row ${index + 1}`,
    epoch: 1,
    input: [],
    target: target ?? String(answer ?? ''),
    messages: messagesOf(row),
  };
}

function messagesOf(row: unknown): { readonly role: string | undefined; readonly content: unknown }[] {
  const chat = openAi.safeParse(row).data;
  if (chat) return chat.messages.map(({ role, content }) => ({ role: ROLES[role], content }));
  const shared = shareGpt.safeParse(row).data;
  if (shared)
    return shared.conversations.map(({ from, value }) => ({ role: ROLES[from.toLowerCase()], content: value }));
  throw new Error('neither "messages" (role, content) nor "conversations" (from, value)'); // told with its entry
}
