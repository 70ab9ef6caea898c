import { createHash } from 'node:crypto';
import type { Results, Transcript } from '../../results/results.ts';

/** A conversation that goes into a log. */
export type LoggedTranscript = Pick<Transcript, 'id' | 'condition' | 'problem'> &
  Transcript['before'] & {
    /** A behaviour of a report, or what else the model was asked for. */
    readonly behaviour: string;
  };

type Turn = LoggedTranscript['turns'][number];
type Written = Readonly<Record<string, unknown>>;

/** The score that every sample of ours has: `C` where the verifier found what is wanted, else `I`. */
export const SCORER = 'as_wanted';

/**
 * A transcript as an Inspect sample. `source` says who wrote a message: `generate` what the model sampled, `input` all
 * else; `metadata.origin` tells what belongs to the problem (`given`) from what was put there by us (`injected`).
 */
export function transcriptSample(
  transcript: LoggedTranscript,
  epoch: number,
  { model, started }: { readonly model: string; readonly started: string },
): Written {
  const { id, turns } = transcript;
  const ids = idsOf(`${id} ${epoch}`);
  const messages = turns.map((turn) => message(turn, ids()));
  const first = turns.findIndex(({ origin }) => origin === 'sampled');
  const last = turns.findLastIndex(({ origin }) => origin === 'sampled');
  const said = { model, turn: turns[last], message: messages[last] };
  const given = scores(transcript);
  return {
    id,
    epoch,
    input: messages.slice(0, first < 0 ? messages.length : first),
    target: '',
    messages,
    output: output(said),
    scores: given,
    metadata: metadata(transcript),
    events: [
      ...(last < 0 ? [] : [modelEvent(messages.slice(0, last), said)]),
      ...Object.values(given).map((score) => ({ event: 'score', score, target: '' })),
    ].map((event) => ({ ...event, uuid: ids(), timestamp: started, working_start: 0 })),
    attachments: {},
  };
}

/** Inspect's data frames tell messages and events apart by ids of letters and digits; the same ones each time. */
function idsOf(sample: string): () => string {
  let count = 0;
  return () =>
    createHash('sha256').update(`${sample} ${count++}`).digest('base64url').replaceAll(/[-_]/g, 'x').slice(0, 22);
}

/** What the model was asked with, and what it said: https://inspect.aisi.org.uk/reference/inspect_ai.event.html */
function modelEvent(input: readonly Written[], said: Said): Written {
  const { model } = said;
  return { event: 'model', model, input, tools: [], tool_choice: 'none', config: {}, output: output(said) };
}

/** So much of a problem stands in a listing. */
const SHOWN = 200;

/** What a listing shows of it, and no more: who lists 10^5 of them reads all of these. */
export function transcriptSummary(transcript: LoggedTranscript, epoch: number): Written {
  return {
    id: transcript.id,
    epoch,
    input: transcript.problem.slice(0, SHOWN),
    target: '',
    scores: verdict(transcript),
    metadata: { behaviour: transcript.behaviour, ...conditionOf(transcript), excerpt: excerptOf(transcript) },
    completed: true,
    message_count: transcript.turns.length,
  };
}

/** How the model's own last words begin: what tells one transcript of a problem from another. */
function excerptOf({ turns }: LoggedTranscript): string {
  return (
    turns
      .findLast(({ origin }) => origin === 'sampled')
      ?.text.trim()
      .slice(0, SHOWN) ?? ''
  );
}

function message({ role, text, origin }: Turn, id: string): Written {
  return { id, role, content: text, source: origin === 'sampled' ? 'generate' : 'input', metadata: { origin } };
}

/** The model's own last turn, as we have it and as it is written. */
type Said = { readonly model: string; readonly turn: Turn | undefined; readonly message: Written | undefined };

function output({ model, turn, message: said }: Said): Written {
  if (!turn || !said) return { model, choices: [], completion: '' };
  const logprobs = turn.tokens && { logprobs: { content: turn.tokens.map(token) } };
  return { model, choices: [{ message: said, stop_reason: 'stop', ...logprobs }], completion: turn.text };
}

/** Of the most likely token only the probability is known, not its text. */
function token({ text, logprob, topLogprob }: NonNullable<Turn['tokens']>[number]): Written {
  return {
    token: text,
    logprob,
    ...(topLogprob !== undefined && { top_logprobs: [{ token: '', logprob: topLogprob }] }),
  };
}

function verdict({ outcome }: LoggedTranscript): Written {
  return outcome ? { [SCORER]: { value: outcome.good ? 'C' : 'I', explanation: outcome.text } } : {};
}

function scores(transcript: LoggedTranscript): Written {
  const { outcome, turns, behaviour } = transcript;
  if (!outcome) return {};
  const answer = turns.findLast(({ origin }) => origin === 'sampled')?.text;
  return {
    [SCORER]: {
      value: outcome.good ? 'C' : 'I',
      ...(answer !== undefined && { answer }),
      explanation: outcome.text,
      metadata: { behaviour, ...conditionOf(transcript) },
    },
  };
}

function metadata(transcript: LoggedTranscript): Written {
  const { behaviour, problem, turns } = transcript;
  const injected = turns.flatMap(({ origin }, index) => (origin === 'injected' ? [index] : []));
  return { behaviour, ...conditionOf(transcript), problem, injected_messages: injected };
}

const conditionOf = ({ condition }: LoggedTranscript): Written => (condition === undefined ? {} : { condition });

/** Every number of the run, for whoever lists logs: `results.scores` of the header. */
export function measuredScores(probes: Results['probes'], side: 'before' | 'after'): Written[] {
  const behaviours = [...new Set(probes.map(({ behaviour }) => behaviour))];
  return behaviours.map((behaviour) => ({
    name: behaviour,
    scorer: 'unrut',
    metrics: Object.fromEntries(
      probes.filter((row) => row.behaviour === behaviour).flatMap((row) => measuredMetric(row, row[side])),
    ),
  }));
}

function measuredMetric(
  { metric, condition }: Results['probes'][number],
  estimate: Results['probes'][number]['after'],
): [string, Written][] {
  if (!estimate) return [];
  const name = [metric, condition].filter(Boolean).join(' ');
  const { value, low, high, n } = estimate;
  return [[name, { name, value, metadata: { low, high, n } }]];
}
