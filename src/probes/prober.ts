import { z } from 'zod';
import type { ChatModel, TokenLogprob } from '../chat/chat-model.ts';
import type { Cost } from '../stages/stage.ts';

/** A model as a probe sees it: an immutable snapshot, so that training may go on beside it. */
export type ProbeTarget = {
  /** Names the snapshot in messages: `before`, `after verify`. */
  readonly name: string;
  readonly model: ChatModel;
  /** Logprobs of raw text, token by token, for base quality; absent behind a chat endpoint. The first token has none. */
  textLogprobs?(texts: readonly string[]): Promise<TokenLogprob[][]>;
};

/**
 * One problem's share of a row. The row's value is sum(numerator) / sum(denominator), which covers means
 * (denominator 1), rates per step (steps), nats per token (tokens) and the blind spot ((C_ext - C_own) / C_ext).
 */
export const outcomeSchema = z.strictObject({
  /** The same id before and after, so that the two can be paired; the bootstrap draws whole problems. */
  problem: z.string(),
  numerator: z.number(),
  denominator: z.number(),
});
export type Outcome = z.infer<typeof outcomeSchema>;

export const probeRowSchema = z.strictObject({
  behaviour: z.string(),
  metric: z.string(),
  /** `kind=misconception,dose=4`; absent for the headline. */
  condition: z.string().optional(),
  /** Which way is better. */
  direction: z.enum(['up', 'down']),
  outcomes: z.array(outcomeSchema),
});
export type ProbeRow = z.infer<typeof probeRowSchema>;

export const tokenSchema = z.strictObject({ text: z.string(), logprob: z.number() });

/** A conversation worth showing. `problem` and `condition` pair the transcript before with the one after. */
export const transcriptSchema = z.strictObject({
  behaviour: z.string(),
  condition: z.string().optional(),
  problem: z.string(),
  /** Did the model do what is right here? */
  right: z.boolean(),
  turns: z.array(
    z.strictObject({
      role: z.enum(['system', 'user', 'assistant', 'tool']),
      origin: z.enum(['given', 'injected', 'sampled']),
      text: z.string(),
      /** The model's own tokens with their logprobs in nats; absent for turns it did not write. */
      tokens: z.array(tokenSchema).optional(),
    }),
  ),
});
export type Transcript = z.infer<typeof transcriptSchema>;

export const probeReportSchema = z.strictObject({
  rows: z.array(probeRowSchema),
  transcripts: z.array(transcriptSchema),
});
export type ProbeReport = z.infer<typeof probeReportSchema>;

/** What to measure. The seed is the probes' own: test problems are the same in every run of a recipe. */
export type ProbeSettings = {
  readonly problems: number;
  readonly behaviours: readonly string[];
  readonly seed: number;
};

/** Measures behaviours. Same target, same settings: same report. */
export interface Prober {
  /** The metrics that each behaviour yields, by behaviour: `error-checking -> [hit_rate, false_alarm_rate, j]`. */
  readonly behaviours: ReadonlyMap<string, readonly string[]>;
  cost(settings: ProbeSettings): Cost;
  /** `doing` is called as the work goes on, with the share done in [0, 1]. */
  probe(
    target: ProbeTarget,
    settings: ProbeSettings,
    doing?: (what: string, share: number) => void,
  ): Promise<ProbeReport>;
}
