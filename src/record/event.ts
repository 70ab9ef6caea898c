import { z } from 'zod';
import { metricName } from '../results/metrics.ts';

const at = { time: z.iso.datetime() };
const position = { stage: z.string(), step: z.int().nonnegative() };

/** Since the step before, or since the stage began in this process. */
const tokens = z.strictObject({ trained: z.int(), sampled: z.int() });
const spent = { seconds: z.number(), tokens };

/** A number that JSON cannot hold (a NaN or infinite metric) is kept as null. */
const metrics = z.record(z.string(), z.number().nullable());

export const estimateSchema = z.strictObject({ value: z.number(), low: z.number(), high: z.number(), n: z.int() });

/** A gate of a recipe that was held against what was measured. Numbers are in the metric's unit. */
export const gateVerdictSchema = z.strictObject({
  after: z.string(),
  metric: metricName,
  condition: z.string().optional(),
  sense: z.enum(['at_least', 'at_most']),
  bar: z.number(),
  compared: z.enum(['low', 'high', 'value']),
  /** The number that was compared. */
  number: z.number(),
  /** Absent where nothing was counted. */
  measured: estimateSchema.optional(),
  /** What the bar refers to; the interval is then that of the paired change from there, put at its value. */
  reference: z.string().optional(),
  held: z.boolean(),
  otherwise: z.enum(['stop', 'report']),
});
export type GateVerdict = z.infer<typeof gateVerdictSchema>;

/**
 * What happens in a run, one JSON object per line of `events.jsonl`. A run that was killed may repeat steps after it
 * resumes; the later event of a step counts (see `latestSteps`).
 */
export const eventSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('run-started'), ...at, name: z.string(), seed: z.int() }),
  z.strictObject({ kind: z.literal('run-resumed'), ...at, stage: z.string().optional(), step: z.int() }),
  z.strictObject({ kind: z.literal('probe-started'), ...at, probe: z.string() }),
  z.strictObject({ kind: z.literal('probe-finished'), ...at, probe: z.string(), seconds: z.number(), rows: z.int() }),
  z.strictObject({ kind: z.literal('stage-started'), ...at, ...position }),
  z.strictObject({ kind: z.literal('step'), ...at, ...position, of: z.int(), ...spent, metrics }),
  z.strictObject({ kind: z.literal('stage-finished'), ...at, stage: z.string(), ...spent }),
  z.strictObject({ kind: z.literal('stage-skipped'), ...at, stage: z.string(), why: z.string() }),
  z.strictObject({ kind: z.literal('gate'), ...at, ...gateVerdictSchema.shape }),
  /** Something that a reader should know: another version of Node than the run began with. */
  z.strictObject({ kind: z.literal('note'), ...at, text: z.string() }),
  z.strictObject({ kind: z.literal('run-interrupted'), ...at }),
  z.strictObject({ kind: z.literal('run-finished'), ...at, seconds: z.number(), gatesMissed: z.int() }),
]);
export type RunEvent = z.infer<typeof eventSchema>;

/** An event before the journal stamps the time on it. */
export type NewEvent = RunEvent extends infer Event ? (Event extends RunEvent ? Omit<Event, 'time'> : never) : never;

export type StepEvent = Extract<RunEvent, { kind: 'step' }>;

/** The steps of a run in order, each once: where a resumed run repeated a step, the repetition. */
export function latestSteps(events: readonly RunEvent[]): StepEvent[] {
  const steps = new Map<string, StepEvent>();
  for (const event of events) if (event.kind === 'step') steps.set(`${event.stage} ${event.step}`, event);
  return [...steps.values()];
}
