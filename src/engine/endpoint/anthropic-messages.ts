import { z } from 'zod';
import { lookUp } from '../../look-up.ts';
import type { Answer } from './answer.ts';
import { type Ask, compact, type Dialect, isOpen, messagesOf, type Request } from './request.ts';

/**
 * @file Anthropic's Messages: https://platform.claude.com/docs/en/api/messages. There is no seed, no `n` and no logprob;
 * an open last turn is gone on with by models up to Claude 4.5 and refused by later ones.
 */

export function messagesRequest(model: string, ask: Ask, dialect: Dialect): Request {
  const messages = messagesOf(ask.conversation, dialect.mergeTurns);
  const system = messages.filter(({ role }) => role === 'system').map(({ content }) => content);
  const turns = messages.filter(({ role }) => role !== 'system');
  const open = isOpen(ask.conversation) ? turns.at(-1) : undefined;
  const body = compact({
    model,
    system: system.length > 0 ? system.join('\n\n') : undefined,
    messages: turns.map((turn) => (turn === open ? { ...turn, content: turn.content.trimEnd() } : turn)),
    max_tokens: ask.maxTokens,
    temperature: dialect.temperature ? Math.min(1, ask.temperature) : undefined,
    top_p: ask.topP,
    stop_sequences: ask.stop,
  });
  return { path: '/v1/messages', body, read: (json) => readMessage(json, trailingSpace(open?.content ?? '')) };
}

/** The API refuses a last turn that ends in space; the model then writes the space itself. */
const trailingSpace = (text: string): string => text.slice(text.trimEnd().length);

const replySchema = z.object({
  content: z.array(z.object({ type: z.string(), text: z.string().optional() })),
  stop_reason: z.string().nullish(),
  usage: z.object({
    input_tokens: z.number(),
    cache_creation_input_tokens: z.number().nullish(),
    cache_read_input_tokens: z.number().nullish(),
    output_tokens: z.number(),
  }),
});

const STOP_REASONS: Readonly<Record<string, Answer['replies'][number]['stopReason']>> = {
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  refusal: 'filtered',
};

function readMessage(json: unknown, trimmed: string): Answer {
  const { content, stop_reason, usage } = replySchema.parse(json);
  const text = content.map((part) => (part.type === 'text' ? (part.text ?? '') : '')).join('');
  const prompt = usage.input_tokens + (usage.cache_creation_input_tokens ?? 0) + (usage.cache_read_input_tokens ?? 0);
  return {
    replies: [
      {
        text: trimmed !== '' && text.startsWith(trimmed) ? text.slice(trimmed.length) : text,
        stopReason: lookUp(STOP_REASONS, stop_reason ?? '') ?? 'stop',
      },
    ],
    used: { prompt, completion: usage.output_tokens },
    ...(content.some(({ type }) => type === 'thinking') ? { thought: true } : {}),
  };
}
