import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { RunError } from '../errors.ts';
import { conditionPattern } from './condition.ts';
import { behaviourName, behaviourSchema, defineBehaviour, defineMetric, metricName, metricSchema } from './metrics.ts';
import { competenceGateSchema } from './probe-report.ts';
import { directions } from './units.ts';

/**
 * @file `results.json`: the contract of a run for machines, and all that the report is drawn from.
 * Field names are part of the contract; a change that breaks a reader changes {@link resultsSchemaName}.
 */

export const resultsSchemaName = 'unrut.results/1';

const finite = z.number();
const share = z.number().min(0).max(1);
const count = z.number().int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits');
const condition = z.string().regex(conditionPattern, 'must be written key=value,key=value');

/** A point estimate with its confidence interval, in the metric's own unit; `n` counts problems, not samples. */
const estimate = z.strictObject({ value: finite, low: finite, high: finite, n: count.min(1) });

/** After minus before, paired by problem. `p` is two-sided and not adjusted; `p_holm` is, over the headline family. */
const change = z.strictObject({
  value: finite,
  low: finite,
  high: finite,
  p: share,
  p_mid: share.optional(),
  p_holm: share.optional(),
});

/** One metric under one condition. `after` and `change` are missing where only one model was measured. */
const probeRow = z.strictObject({
  behaviour: behaviourName,
  metric: metricName,
  /** `kind=misconception,dose=4`; missing where the metric has one condition only. */
  condition: condition.optional(),
  direction: z.enum(directions),
  before: estimate,
  after: estimate.optional(),
  change: change.optional(),
  /** What a reader must know of this row, in a sentence: "22 own errors were left to find". */
  note: z.string().optional(),
});

/** One bar, checked after one stage. */
const gateRow = z.strictObject({
  after_stage: z.string(),
  metric: metricName,
  condition: condition.optional(),
  /** The declared bar, in the metric's unit. */
  bar: finite,
  /** `at_least`: the number must not be below the bar. */
  sense: z.enum(['at_least', 'at_most']),
  /** Which number was compared: a confidence limit, or the point value where the recipe says so. */
  compared: z.enum(['low', 'high', 'value']),
  /** The number that was compared with the bar. */
  low_or_high: finite,
  held: z.boolean(),
  /** The whole estimate, for the reader. */
  measured: estimate.optional(),
  /**
   * What the bar refers to: `before`, or another condition of the metric. The interval in `measured` is then that of the
   * paired change from there, put at the reference's value.
   */
  reference: z.string().optional(),
});

/** The server that was asked, what its self-test showed, and what the replies cost. */
const endpoint = z.strictObject({
  address: z.string(),
  model: z.string(),
  /** How the model was made to go on from work in its own mouth: two different measurements. */
  mode: z.enum(['prefill', 'history']),
  /** By ability: whether the endpoint has it, and how that was seen. */
  self_test: z.record(z.string(), z.strictObject({ can: z.boolean(), how: z.string() })),
  /** Paid for, of all processes that worked on this run; `cached` ones of an earlier process among them. */
  replies: count,
  cached: count,
  requests: count,
  retries: count,
  /** Requests that broke off and may have been charged; they are in the tokens at their worst. */
  lost_requests: count,
  empty_replies: count,
  /** Conversations that the server, or its filter, did not answer; what it said of the first. */
  refused_replies: count,
  first_refusal: z.string().optional(),
  prompt_tokens: count,
  completion_tokens: count,
  /** By the price table; missing where it does not have the model. */
  cost_usd: finite.nonnegative().optional(),
  /** Date and source of the price table. */
  prices: z.string().optional(),
});

/** What was not measured. */
const skipped = z.strictObject({ behaviour: behaviourName, metric: metricName.optional(), why: z.string() });

/** The problems that were used, and of the competence gate how many were drawn, which, and how many passed. */
const problems = z.strictObject({
  family: z.string(),
  count: count.min(1),
  sha256,
  shots: count.min(1).optional(),
  gate: competenceGateSchema.extend({ sha256 }).optional(),
});

/** What was run, on what, so that two runs can be told to be comparable. */
const run = z.strictObject({
  name: z.string().min(1),
  seed: z.number().int(),
  /** `unrut`, `node`, `onnxruntime-node`, ... */
  versions: z.record(z.string(), z.string()),
  recipe_sha256: sha256,
  /** What was changed of the recipe's file: `stages.verify.off=true`. */
  overrides: z.array(z.string()).optional(),
  /** The model before, as the user named it (folder or address). */
  model: z.string().optional(),
  /** Of the base model's weights. */
  model_sha256: sha256.optional(),
  parameters: count.optional(),
  /** The problems that the probes used: two runs pair only where the same ones were drawn. */
  problems: z.array(problems).optional(),
  /** ISO 8601. */
  started: z.string().optional(),
  /** Processor, threads, memory: in words. */
  machine: z.string().optional(),
  endpoint: endpoint.optional(),
});

/** How the intervals and p values were made, for captions. */
const statistics = z.strictObject({
  /** 0.95 */
  confidence: share,
  /** "paired bootstrap clustered by problem, BCa" */
  interval: z.string(),
  resamples: count.optional(),
  /** "McNemar exact below 25 discordant pairs, mid-p above" */
  test: z.string().optional(),
});

/** A training curve: loss, reward, J, KL, tokens/s. A point is `[step, value]`. */
const curve = z.strictObject({
  stage: z.string(),
  name: z.string(),
  unit: z.string(),
  points: z.array(z.tuple([finite, finite])),
});

/** One metric at one moment. */
const stageProbe = z.strictObject({
  metric: metricName,
  condition: condition.optional(),
  value: finite,
  low: finite,
  high: finite,
  n: count.min(1),
});

/** One stage, in the order run; `rows` are the gate probes after it. A first stage named `base` is the model before. */
const stage = z.strictObject({
  stage: z.string(),
  seconds: finite.nonnegative(),
  /** Trained and sampled. */
  tokens: count,
  rows: z.array(stageProbe),
});

/** Share of steps that the model's own surprise flags, before any training of a verdict and after. */
const latent = z.strictObject({
  /** "max f of value and sum > 0.5, f = 1 - p(written) / max p" */
  rule: z.string(),
  rows: z.array(
    z.strictObject({
      /** `right` rows are false alarms. */
      kind: z.enum(['right', 'slip', 'misconception', 'own']),
      /** Counts wrong steps of this kind up to and with this one: 1 is the first. 0 for right steps. */
      position: count,
      before: estimate,
      after: estimate.optional(),
    }),
  ),
});

const tokenLogprob = z.strictObject({
  text: z.string(),
  /** Of this token, nats. */
  logprob: finite.max(0),
  /** Of the most likely token here, nats: surprise is 1 - exp(logprob - topLogprob). Missing where a backend hides it. */
  topLogprob: finite.max(0).optional(),
});

/** Adjacent turns of one role are one turn for the model: an injected prefix and its sampled continuation. */
const transcriptTurn = z.strictObject({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  text: z.string(),
  origin: z.enum(['given', 'injected', 'sampled']),
  tokens: z.array(tokenLogprob).optional(),
});

const transcriptSide = z.strictObject({
  turns: z.array(transcriptTurn).min(1),
  /** What the verifier said of it, in few words, and whether that is what is wanted. */
  outcome: z.strictObject({ text: z.string(), good: z.boolean() }).optional(),
});

/** The same problem before and after. */
const transcript = z.strictObject({
  id: z.string(),
  behaviour: behaviourName,
  condition: condition.optional(),
  /** The problem, in words for people. */
  problem: z.string(),
  before: transcriptSide,
  after: transcriptSide.optional(),
});

export const resultsSchema = z.strictObject({
  schema: z.literal(resultsSchemaName),
  run,
  /** What the metrics are that unrut does not bring along: whoever reads the file needs nothing else. */
  metrics: z.record(z.string(), metricSchema).optional(),
  /** The same of behaviours. */
  behaviours: z.record(z.string(), behaviourSchema).optional(),
  seconds: z.strictObject({
    total: finite.nonnegative(),
    /** By stage name, probes included under `probe`. */
    stages: z.record(z.string(), finite.nonnegative()),
  }),
  probes: z.array(probeRow),
  skipped: z.array(skipped).optional(),
  gates: z.array(gateRow),
  statistics: statistics.optional(),
  curves: z.array(curve).optional(),
  stages: z.array(stage).optional(),
  latent: latent.optional(),
  transcripts: z.array(transcript).optional(),
});

type DeepReadonly<T> = T extends string
  ? T
  : T extends readonly unknown[] | object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

export type Results = DeepReadonly<z.infer<typeof resultsSchema>>;
export type ProbeRow = Results['probes'][number];
export type GateRow = Results['gates'][number];
export type Estimate = ProbeRow['before'];
export type EndpointUse = NonNullable<Results['run']['endpoint']>;
export type Change = NonNullable<ProbeRow['change']>;
export type StageResult = NonNullable<Results['stages']>[number];
export type TrainingCurve = NonNullable<Results['curves']>[number];
export type LatentTable = NonNullable<Results['latent']>;
export type Transcript = NonNullable<Results['transcripts']>[number];
export type TokenLogprob = NonNullable<Transcript['before']['turns'][number]['tokens']>[number];

/**
 * Checks what came from outside. `source` names it in the error.
 * @throws RunError naming the first field that does not fit.
 */
export function parseResults(json: unknown, source: string): Results {
  learnMetrics(json);
  const parsed = resultsSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!; // a failed parse has at least one
  const field = issue.path.join('.') || 'top level';
  throw new RunError(`${source}: ${field}: ${issue.message}; this is not a ${resultsSchemaName} file`);
}

/** Makes the file's own behaviours and metrics known before its rows are checked; definitions that do not fit are found out with the rest. */
function learnMetrics(json: unknown): void {
  const { behaviours, metrics } = resultsSchema.shape;
  const own = z.object({ behaviours }).safeParse(json).data?.behaviours ?? {};
  for (const [name, entry] of Object.entries(own)) defineBehaviour(name, { ...entry, metrics: {}, threats: [] });
  const of = z.object({ metrics }).safeParse(json).data?.metrics ?? {};
  for (const [name, metric] of Object.entries(of)) defineMetric(name, metric);
}

/** @throws RunError where the file is missing, is no JSON, or does not hold the contract. */
export async function readResults(path: string): Promise<Results> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new RunError(`${path}: cannot be read (${error.message}); give the results.json of a finished run`);
  });
  return parseResults(parseJson(text, path), path);
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RunError(`${path}: is not JSON; the file is damaged, run \`unrut report\` on another run or run again`);
  }
}

/**
 * Validated, written beside and renamed: a reader never sees half a file.
 * @throws RunError where the results break the contract or the disk refuses them.
 */
export async function writeResults(path: string, results: Results): Promise<void> {
  const checked = parseResults(results, path);
  const beside = `${path}.${randomUUID()}`;
  try {
    await writeFile(beside, `${JSON.stringify(checked, null, 2)}\n`, { flag: 'wx' });
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw new RunError(`${path}: cannot be written (${(error as Error).message}); free space or choose another folder`);
  }
}
