import { z } from 'zod';
import { withoutNulls } from './read-body.ts';
import { chatOnlyFields, MOST_TOP_LOGPROBS, sharedFields } from './shared-fields.ts';

/** A text is one part; whatever else there is in `content` is refused by its place. */
const content = z.preprocess(
  (given) => (typeof given === 'string' ? [{ type: 'text', text: given }] : given),
  z.array(
    z.strictObject({
      type: z.literal('text', { error: 'only parts of type "text" can be read' }),
      text: z.string(),
    }),
    { error: 'it is a string or an array of text parts' },
  ),
);

const messageFields = z.strictObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
  content,
  /** Mistral's and DeepSeek's way to say that the last message is left open. */
  prefix: z.boolean().optional(),
  /** Says which call a tool's message answers; templates of text alone do not write it. */
  tool_call_id: z.string().optional(),
  /** What a reply has beside its text, as clients send it back: empty. */
  tool_calls: z.tuple([], { error: 'this server calls no tools; leave it out' }).optional(),
  annotations: z.array(z.unknown()).max(0).optional(),
});

/** Clients send a reply back as it came, with null for what it did not have. */
const message = z.preprocess(withoutNulls, messageFields);

/** @see https://platform.openai.com/docs/api-reference/chat/create */
export const chatBody = z.strictObject({
  ...sharedFields,
  ...chatOnlyFields,
  messages: z.array(message).min(1).max(1024),
  max_tokens: z.int().min(1).optional(),
  max_completion_tokens: z.int().min(1).optional(),
  logprobs: z.boolean().default(false),
  top_logprobs: z.int().min(0).max(MOST_TOP_LOGPROBS).optional(),
  /** vLLM's way to ask for the likeliest tokens in each place of the prompt. */
  prompt_logprobs: z.int().min(0).max(MOST_TOP_LOGPROBS).optional(),
  /** vLLM's and transformers' way to say that the last message is left open. */
  continue_final_message: z.boolean().optional(),
  add_generation_prompt: z.boolean().optional(),
});

export type ChatBody = z.output<typeof chatBody>;
export type ChatMessage = z.output<typeof message>;
