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
export function transcriptSample(transcript: LoggedTranscript, epoch: number, model: string): Written {
  const { id, turns } = transcript;
  const messages = turns.map(message);
  const first = turns.findIndex(({ origin }) => origin === 'sampled');
  const last = turns.findLastIndex(({ origin }) => origin === 'sampled');
  return {
    id,
    epoch,
    input: messages.slice(0, first < 0 ? messages.length : first),
    target: '',
    messages,
    output: output(turns[last], messages[last], model),
    scores: scores(transcript),
    metadata: metadata(transcript),
    events: [],
    attachments: {},
  };
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
    metadata: { behaviour: transcript.behaviour, ...conditionOf(transcript) },
    completed: true,
    message_count: transcript.turns.length,
  };
}

function message({ role, text, origin }: Turn): Written {
  return { role, content: text, source: origin === 'sampled' ? 'generate' : 'input', metadata: { origin } };
}

function output(turn: Turn | undefined, said: Written | undefined, model: string): Written {
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
