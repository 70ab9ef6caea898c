import type { ChatModel, Reply } from '../conversation/chat-model.ts';
import type { Conversation } from '../conversation/conversation.ts';
import { inWords, outcomeOf, type ProblemFamily, type Reading } from '../problems/problem-family.ts';
import { type Stream, stream } from '../random.ts';
import type { Behaviour, MetricName } from '../results/metrics.ts';
import type { Outcome, ProbeReport, ProbeRow, ProbeTranscript } from '../results/probe-report.ts';
import { told, wholeText } from './mode.ts';
import type { ProbeTarget } from './prober.ts';

/** Where a probe works: one model, one family, the test problems, and a stream of draws per problem. */
export type Bench<Problem> = {
  readonly target: ProbeTarget;
  readonly family: ProblemFamily<Problem>;
  readonly problems: readonly Problem[];
  readonly seed: number;
};

/** What a probe found. */
export type Findings = Omit<ProbeReport, 'problems' | 'skipped'>;

/** Measures one behaviour. */
export type Probe = {
  readonly behaviour: Behaviour;
  /** Sampled tokens per problem, for the cost of a run. */
  readonly tokensPerProblem: number;
  measure<Problem>(bench: Bench<Problem>): Promise<Findings>;
  /** `unneeded`: it measures the same on problems that the model does not solve. Absent: only solved ones count. */
  readonly competence?: 'unneeded';
  /** What can be measured where no problem is solved; absent: nothing. */
  unsolved?<Problem>(bench: Bench<Problem>): Promise<Findings>;
};

/** The draws that belong to a problem in this probe: other problems and probes do not move them. */
export function drawsFor<Problem>(bench: Bench<Problem>, problem: Problem, ...name: (string | number)[]): Stream {
  return stream(bench.seed, 'probe', ...name, bench.family.id(problem));
}

/** A reply together with what it went on from, read by the verifier. */
export type Read = { readonly conversation: Conversation; readonly reply: Reply; readonly reading: Reading };

/** Greedy replies, one per problem; a reply is read together with the open turn that it continues. */
export async function readGreedily<Problem>(
  bench: Bench<Problem>,
  conversations: readonly Conversation[],
  problems: readonly Problem[] = bench.problems,
): Promise<Read[]> {
  const tokens = bench.family.replyTokens;
  const asked = conversations.map((conversation) => told(bench.target, conversation));
  const replies = await replyOnce(bench.target.model, asked, tokens, 0, bench.seed, TRANSCRIPTS_KEPT);
  return replies.map((reply, index) => {
    const text = wholeText(bench.target, openText(conversations[index]!), reply.text);
    return { conversation: asked[index]!, reply, reading: bench.family.read(problems[index]!, text, reply.stopReason) };
  });
}

/** One reply per conversation. */
export async function replyOnce(
  model: ChatModel,
  conversations: readonly Conversation[],
  maxTokens: number,
  temperature: number,
  seed: number,
  tokensOfFirst = 0,
): Promise<Reply[]> {
  const replies = await model.reply(conversations, { maxTokens, temperature, seed, samples: 1, tokensOfFirst });
  return replies.map(([reply]) => reply!);
}

/** The text of an open last turn; empty where the user spoke last. */
export function openText(conversation: Conversation): string {
  const last = conversation.at(-1);
  return last?.role === 'assistant' ? last.text : '';
}

/** A row of one number per problem. */
export function row<Problem>(
  bench: Bench<Problem>,
  metric: MetricName,
  condition: string | undefined,
  numbers: readonly (number | boolean)[],
  problems: readonly Problem[] = bench.problems,
): ProbeRow {
  const ratios = numbers.map((number) => ({ numerator: Number(number), denominator: 1 }));
  return ratioRow(bench, metric, condition, ratios, problems);
}

/** A row whose value is sum(numerator) / sum(denominator). */
export function ratioRow<Problem>(
  bench: Bench<Problem>,
  metric: MetricName,
  condition: string | undefined,
  ratios: readonly { readonly numerator: number; readonly denominator: number }[],
  problems: readonly Problem[] = bench.problems,
): ProbeRow {
  const outcomes: Outcome[] = ratios.map((ratio, index) => ({ problem: bench.family.id(problems[index]!), ...ratio }));
  return { metric, ...(condition === undefined ? {} : { condition }), outcomes };
}

/** The replies of an arm that could not be read, by problem. */
export type Lost<Problem> = { readonly lost: readonly boolean[]; readonly problems?: readonly Problem[] };

/**
 * How many of the replies of these arms could not be read: neither right nor wrong. Told by families that can tell; a
 * problem counts once for each arm.
 */
export function unreadable<Problem>(bench: Bench<Problem>, of: string, arms: readonly Lost<Problem>[]): ProbeRow[] {
  if (!inWords(bench.family)) return [];
  const rows = arms.map(({ lost, problems }) => row(bench, 'unreadable', undefined, lost, problems));
  return [{ metric: 'unreadable', condition: `of=${of}`, outcomes: rows.flatMap(({ outcomes }) => outcomes) }];
}

/** Where an answer was asked for. */
export const answerless = (reads: readonly Pick<Read, 'reading'>[]): Pick<Lost<never>, 'lost'> => ({
  lost: reads.map(({ reading }) => outcomeOf(reading) === 'unreadable'),
});

/** The first few replies as transcripts; all of them go into the target's log. */
export function transcripts<Problem>(
  bench: Bench<Problem>,
  behaviour: Behaviour,
  condition: string | undefined,
  reads: readonly Read[],
  right: (read: Read) => boolean,
  problems: readonly Problem[] = bench.problems,
): ProbeTranscript[] {
  const { log } = bench.target;
  const shown = reads.slice(0, log ? reads.length : TRANSCRIPTS_KEPT).map((read, index): ProbeTranscript => {
    const problem = bench.family.id(problems[index]!);
    const { text, tokens } = read.reply;
    const sampled = { role: 'assistant' as const, origin: 'sampled' as const, text };
    const before = read.conversation.map(({ role, text, origin }) => ({ role, text, origin }));
    const turns = [...before, tokens === undefined ? sampled : { ...sampled, tokens: [...tokens] }];
    const good = right(read);
    return {
      id: [behaviour, condition ?? 'plain', problem].join('/'),
      behaviour,
      ...(condition === undefined ? {} : { condition }),
      problem,
      turns,
      outcome: { text: outcomeText(read, good), good },
    };
  });
  for (const [index, transcript] of shown.entries()) log?.judged(reads[index]!.reply, transcript);
  return shown.slice(0, TRANSCRIPTS_KEPT);
}

function outcomeText({ reply: { refused } }: Read, good: boolean): string {
  if (refused !== undefined) return `refused: ${refused}`;
  return good ? 'as wanted' : 'not as wanted';
}

const TRANSCRIPTS_KEPT = 6;

export const answeredRight = (read: Read): boolean => read.reading.answerRight;
