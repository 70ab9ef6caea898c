import { z } from 'zod';

const tokenSchema = z.object({ text: z.string(), logprob: z.number(), topLogprob: z.number() });

/** What came back for one request, in the words of neither protocol: what is journaled, and what a reply is made of. */
export const answerSchema = z.object({
  /** One per sample asked for. */
  replies: z.array(
    z.object({
      text: z.string(),
      /** `filtered`: the provider's own filter withheld it, or broke it off. */
      stopReason: z.enum(['stop', 'length', 'filtered']),
      tokens: z.array(tokenSchema).optional(),
    }),
  ),
  /** The prompt's own tokens, where they were asked for. */
  promptTokens: z.array(tokenSchema).optional(),
  /** As the server counted them; undefined where it did not. */
  used: z.object({ prompt: z.number(), completion: z.number() }).optional(),
  /** The model thought before it replied, out of sight. */
  thought: z.boolean().optional(),
});
export type Answer = z.infer<typeof answerSchema>;
export type AnswerToken = z.infer<typeof tokenSchema>;

/** Servers write impossible tokens as -9999 or null; JSON holds no infinity. */
const LOWEST = -9999;

/** A token with its logprob and that of the likeliest token in its place, both at most 0 whatever rounding did to them. */
export function answerToken(
  text: string,
  logprob: number | null | undefined,
  likeliest: number | undefined,
): AnswerToken {
  const own = Math.min(0, Math.max(LOWEST, logprob ?? LOWEST));
  return { text, logprob: own, topLogprob: Math.min(0, Math.max(own, likeliest ?? own)) };
}
