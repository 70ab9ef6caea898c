/** @file What a measurement leaves: one outcome per problem and row. Intervals are made from it later. */

import { z } from 'zod';
import { conditionPattern } from './condition.ts';
import { behaviourName, metricName } from './metrics.ts';

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

/** One metric under one condition. Its behaviour, direction and unit stand in `results/metrics.ts`. */
export const probeRowSchema = z.strictObject({
  metric: metricName,
  /** `kind=misconception,dose=4`; absent for the headline. */
  condition: z.string().regex(conditionPattern).optional(),
  outcomes: z.array(outcomeSchema),
  /** What a reader must know of this row, in a sentence: "22 own errors were left to find". */
  note: z.string().optional(),
});
export type ProbeRow = z.infer<typeof probeRowSchema>;

/** What the model's own surprise flags, by kind and position of the step (`LatentTable` of `results/results.ts`). */
export const latentReportSchema = z.strictObject({
  rule: z.string(),
  rows: z.array(
    z.strictObject({
      kind: z.enum(['right', 'slip', 'misconception', 'own']),
      position: z.int().nonnegative(),
      outcomes: z.array(outcomeSchema),
    }),
  ),
});

/** A conversation worth showing. `id` pairs the transcript before with the one after. */
export const probeTranscriptSchema = z.strictObject({
  id: z.string(),
  behaviour: behaviourName,
  condition: z.string().regex(conditionPattern).optional(),
  /** The problem, in words for people. */
  problem: z.string(),
  turns: z.array(
    z.strictObject({
      role: z.enum(['system', 'user', 'assistant', 'tool']),
      text: z.string(),
      origin: z.enum(['given', 'injected', 'sampled']),
      /** The tokens with their logprobs in nats; absent where nobody looked. */
      tokens: z
        .array(z.strictObject({ text: z.string(), logprob: z.number(), topLogprob: z.number().optional() }))
        .optional(),
    }),
  ),
  /** What the verifier said of it, in few words, and whether that is what is wanted. */
  outcome: z.strictObject({ text: z.string(), good: z.boolean() }),
});
export type ProbeTranscript = z.infer<typeof probeTranscriptSchema>;

/** What was not measured, and why. */
export const skippedSchema = z.strictObject({
  behaviour: behaviourName,
  /** Absent where nothing of the behaviour was measured. */
  metric: metricName.optional(),
  why: z.string(),
});
export type Skipped = z.infer<typeof skippedSchema>;

const count = z.int().nonnegative();

/** How the competence gate went. */
export const competenceGateSchema = z.strictObject({
  /** Problems drawn, and how many of them were solved often enough. */
  drawn: z.int().positive(),
  passed: count,
  /** Of the problems drawn. */
  sha256: z.string(),
  /** How the replies came out, several a problem. */
  replies: z.strictObject({ right: count, wrong: count, unreadable: count }).optional(),
  /** The beginning of a reply of the commonest kind that was not right. */
  shown: z.strictObject({ outcome: z.enum(['wrong', 'unreadable']), text: z.string() }).optional(),
  /** Easier problems that were tried, by the options that ask for them, and how many of them were solved. */
  easier: z.array(z.strictObject({ flags: z.string(), drawn: z.int().positive(), passed: count })).optional(),
});
export type CompetenceGate = z.infer<typeof competenceGateSchema>;

/** The problems that were used. */
export const measuredProblemsSchema = z.strictObject({
  family: z.string(),
  count: z.int().positive(),
  sha256: z.string(),
  /** Worked demonstrations in front of every problem; absent: none. */
  shots: z.int().positive().optional(),
  /** Absent where nothing was gated. */
  gate: competenceGateSchema.optional(),
});

export const probeReportSchema = z.strictObject({
  /** Two reports pair only where the same problems were drawn. */
  problems: z.array(measuredProblemsSchema),
  rows: z.array(probeRowSchema),
  latent: latentReportSchema.optional(),
  transcripts: z.array(probeTranscriptSchema),
  /** Absent where everything asked for was measured. */
  skipped: z.array(skippedSchema).optional(),
});
export type ProbeReport = z.infer<typeof probeReportSchema>;
