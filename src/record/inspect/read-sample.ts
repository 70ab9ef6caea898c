import type { Turn } from '../../conversation/conversation.ts';
import { lookUp } from '../../look-up.ts';
import type { TokenLogprob } from '../../results/results.ts';
import { type EvalContent, type EvalMessage, type EvalSample, sampleSchema } from './eval-log.ts';

export type ReadTurn = Turn & {
  /** What the model thought before it spoke; empty where the log has none. */
  readonly reasoning: string;
  readonly tokens?: readonly TokenLogprob[] | undefined;
};

/** A sample of any program's log, in our words. */
export type ReadSample = {
  readonly id: string;
  readonly epoch: number;
  readonly turns: readonly ReadTurn[];
  /** Right answers; none where the log does not say. */
  readonly targets: readonly string[];
  /** What was to be chosen from; none where the log does not say. */
  readonly choices: readonly string[];
  readonly scores: readonly ReadScore[];
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Why the program gave up on it. */
  readonly error: string | undefined;
};

export type ReadScore = { readonly name: string; readonly value: string; readonly explanation: string };

/** @throws ZodError where it is no sample at all. */
export function readSample(json: unknown): ReadSample {
  const sample = sampleSchema.parse(json);
  const { id, epoch, target, choices, scores, metadata, error } = sample;
  const messages = conversation(sample);
  const tokens = sample.output.choices[0]?.logprobs?.content.map(tokenOf);
  const turns = messages.map((message, index) => turn(message, index, sample));
  return {
    id: String(id),
    epoch,
    turns: turns.map((one, index) => (tokens && index === turns.length - 1 ? { ...one, tokens } : one)),
    targets: [target].flat().filter((one) => one !== ''),
    choices: choices ?? [],
    scores: Object.entries(scores ?? {}).map(([name, { value, explanation = '' }]) => {
      return { name, value: scoreText(value), explanation };
    }),
    metadata,
    error: error ? (error.message ?? 'unknown error') : undefined,
  };
}

/** A score's value, whatever form it has. */
export function scoreText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What was said; where a sample was cut off before its messages were kept, what was asked and answered. */
function conversation({ messages, input, output }: EvalSample): EvalMessage[] {
  const kept = messages.filter((message) => message !== null);
  if (kept.length > 0) return kept;
  const asked = typeof input === 'string' ? [{ role: 'user' as const, content: input }] : input;
  const said = output.choices[0]?.message;
  return said ? [...asked, said] : [...asked];
}

function turn(message: EvalMessage, index: number, sample: EvalSample): ReadTurn {
  const { role, content } = message;
  return {
    role,
    text: resolve(spoken(content), sample) + toolCalls(message),
    reasoning: resolve(thought(content), sample),
    origin: originOf(message, index, sample),
  };
}

/** Who put it there. Where the log does not say: what stood in the input was not sampled. */
function originOf({ role, source, metadata }: EvalMessage, index: number, { input }: EvalSample): Turn['origin'] {
  if (source === 'generate') return 'sampled';
  const isSaid = role === 'assistant';
  if (source === undefined && isSaid && index >= (typeof input === 'string' ? 1 : input.length)) return 'sampled';
  return metadata?.origin === 'injected' || isSaid ? 'injected' : 'given';
}

function spoken(content: EvalContent): string {
  if (typeof content === 'string') return content;
  return content.map(part).join('');
}

/** What is no text is named, so that a reader knows that something was there. */
function part({ type, text = '' }: Exclude<EvalContent, string>[number]): string {
  if (type === 'text') return text;
  return type === 'reasoning' || type === '' ? '' : `[${type}]`;
}

function thought(content: EvalContent): string {
  if (typeof content === 'string') return '';
  return content.flatMap(({ type, reasoning = '' }) => (type === 'reasoning' ? [reasoning] : [])).join('\n');
}

/** A call is something that the model said. */
function toolCalls({ tool_calls: calls = [] }: EvalMessage): string {
  return calls.map((call) => `\n→ ${call.function}(${JSON.stringify(call.arguments)})`).join('');
}

function resolve(text: string, { attachments }: EvalSample): string {
  return text.replace(/attachment:\/\/(\w+)/g, (reference, key: string) => lookUp(attachments, key) ?? reference);
}

type Choice = EvalSample['output']['choices'][number];

function tokenOf({
  token,
  logprob,
  top_logprobs: top,
}: NonNullable<Choice['logprobs']>['content'][number]): TokenLogprob {
  const clipped = Math.min(0, logprob);
  if (!top || top.length === 0) return { text: token, logprob: clipped };
  return {
    text: token,
    logprob: clipped,
    topLogprob: Math.min(0, Math.max(logprob, ...top.map((one) => one.logprob))),
  };
}
