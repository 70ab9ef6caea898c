import { z } from 'zod';

/**
 * @file Inspect's log format, as far as unrut writes and reads it (https://inspect.aisi.org.uk/eval-logs.html; fields in
 * https://inspect.aisi.org.uk/reference/inspect_ai.log.html). Logs come from any program and version, so what is read is
 * checked loosely: a field that is missing or odd gets a value that says so, and fields that are not known are skipped.
 */

/** The entries of an `.eval` file, which is a zip. */
export const HEADER = 'header.json';
/** What a log has that was not finished: the header without results. */
export const START = '_journal/start.json';
export const SUMMARIES = 'summaries.json';
export const SAMPLES = 'samples/';

/** `samples/p7_epoch_2.json` */
export function sampleEntry(id: string | number, epoch: number): string {
  return `${SAMPLES}${id}_epoch_${epoch}.json`;
}

const text = z.string().optional().catch(undefined);
const words = z.record(z.string(), z.string()).catch({});

const evalSchema = z.looseObject({
  task: z.string().catch('unknown task'),
  model: z.string().catch('unknown model'),
  created: text,
  packages: words,
});

const unknownEval = { task: 'unknown task', model: 'unknown model', created: undefined, packages: {} };

/** A log without its samples. */
export const headerSchema = z.looseObject({
  /** A log without a status was not finished. */
  status: z.string().catch('started'),
  eval: evalSchema.catch(unknownEval),
  error: z.looseObject({ message: text }).optional().catch(undefined),
});
export type EvalHeader = z.infer<typeof headerSchema>;

/** https://inspect.aisi.org.uk/reference/inspect_ai.scorer.html#score */
export const scoreSchema = z.looseObject({ value: z.json().catch(null), answer: text, explanation: text });
export type EvalScore = z.infer<typeof scoreSchema>;

/** Text, or parts of which text and reasoning are read. */
const contentSchema = z.union([
  z.string(),
  z.array(z.looseObject({ type: z.string().catch(''), text, reasoning: text }).catch({ type: '' })),
]);
export type EvalContent = z.infer<typeof contentSchema>;

const toolCall = z.looseObject({ function: z.string().catch('tool'), arguments: z.json().catch(null) });

/** https://inspect.aisi.org.uk/reference/inspect_ai.model.html#messages */
export const messageSchema = z.looseObject({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content: contentSchema.catch(''),
  /** Who wrote it: whoever set the problem, or the model. */
  source: z.enum(['input', 'generate']).optional().catch(undefined),
  tool_calls: z.array(toolCall).optional().catch(undefined),
  metadata: z.looseObject({ origin: text }).optional().catch(undefined),
});
export type EvalMessage = z.infer<typeof messageSchema>;

const topLogprob = z.looseObject({ logprob: z.number() });

/** Natural logs. */
export const logprobSchema = z.looseObject({
  token: z.string(),
  logprob: z.number(),
  top_logprobs: z.array(topLogprob).nullish().catch(undefined),
});

const choiceSchema = z.looseObject({
  message: messageSchema.optional().catch(undefined),
  stop_reason: text,
  logprobs: z
    .looseObject({ content: z.array(logprobSchema) })
    .nullish()
    .catch(undefined),
});

/** One conversation: the trial `epoch` of problem `id`. */
export const sampleSchema = z.looseObject({
  id: z.union([z.string(), z.number()]),
  epoch: z.number().catch(1),
  input: z.union([z.string(), z.array(messageSchema)]).catch(''),
  target: z.union([z.string(), z.array(z.string())]).catch(''),
  choices: z.array(z.string()).nullish().catch(undefined),
  messages: z.array(messageSchema.nullable().catch(null)).catch([]),
  output: z.looseObject({ choices: z.array(choiceSchema).catch([]) }).catch({ choices: [] }),
  scores: z.record(z.string(), scoreSchema).nullish().catch(undefined),
  metadata: z.record(z.string(), z.unknown()).catch({}),
  /** Long texts that messages refer to as `attachment://KEY`. */
  attachments: words,
  error: z.looseObject({ message: text }).nullish().catch(undefined),
});
export type EvalSample = z.infer<typeof sampleSchema>;

/** What a listing shows of a sample. */
export const summarySchema = z.looseObject({
  id: z.union([z.string(), z.number()]),
  epoch: z.number().catch(1),
  input: z.unknown().optional(),
  scores: z.record(z.string(), scoreSchema).nullish().catch(undefined),
  metadata: z.record(z.string(), z.unknown()).catch({}),
  error: z.unknown().optional(),
});
export type EvalSummary = z.infer<typeof summarySchema>;
