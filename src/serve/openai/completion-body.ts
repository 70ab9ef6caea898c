import { z } from 'zod';
import { completionOnlyFields, MOST_TOP_LOGPROBS, sharedFields } from './shared-fields.ts';

/** Prompts in one request; each is a choice, times `n`. */
const MOST_PROMPTS = 1024;

const tokens = z.array(z.int().min(0));

const FORMS = `it is a string, token ids, or an array of at most ${MOST_PROMPTS} of either`;

/** One prompt or several, as text or as ids; `[1, 2]` is one prompt of two tokens. */
const prompt = z.union(
  [
    z.string().transform((text) => [text]),
    tokens.min(1).transform((ids) => [ids]),
    z.array(z.union([z.string(), tokens])).min(1).max(MOST_PROMPTS),
  ],
  { error: FORMS },
); // biome-ignore format: one form a line

/** @see https://platform.openai.com/docs/api-reference/completions/create */
export const completionBody = z.strictObject({
  ...sharedFields,
  ...completionOnlyFields,
  prompt,
  max_tokens: z.int().min(0).default(16),
  logprobs: z.int().min(0).max(MOST_TOP_LOGPROBS).optional(),
  echo: z.boolean().default(false),
});

export type CompletionBody = z.output<typeof completionBody>;
