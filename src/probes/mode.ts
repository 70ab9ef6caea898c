import { createHash } from 'node:crypto';
import type { Conversation } from '../conversation/conversation.ts';
import { inWords, type ProblemFamily } from '../problems/problem-family.ts';
import { type Behaviour, behaviourOf, type MetricName } from '../results/metrics.ts';
import { dependsOnMode, type Mode } from '../results/mode.ts';
import type { ProbeReport, ProbeTranscript, Skipped } from '../results/probe-report.ts';
import { asked } from '../wrong-turns/turns.ts';
import type { ProbeTarget } from './prober.ts';

/** Several, so that no result hangs on one. The problem decides which, so both sides of a pair hear the same. */
const GO_ON = [
  'Please go on exactly where you stopped.',
  'Continue from the last step above.',
  'Carry on with the next step.',
  'Your work above is not finished. Continue it.',
  'Go on from here, in the same form, up to the final answer.',
  'Keep going from where the work above ends.',
] as const;

/** The conversation as this target can be asked: in history mode an open turn is closed, and the user asks to go on. */
export function told({ mode }: Pick<ProbeTarget, 'mode'>, conversation: Conversation): Conversation {
  if (mode !== 'history' || conversation.at(-1)?.role !== 'assistant') return conversation;
  const digest = createHash('sha256').update(conversation[0]!.text).digest(); // a last turn has a first before it or is it
  return [...conversation, asked(GO_ON[digest.readUInt32LE(0) % GO_ON.length]!)];
}

/** So much of the open work at the beginning of a reply means that the model began anew. */
const BEGINNING = 24;

/** What the model has written in all: behind what stood there, or afresh where it was asked to go on and began anew. */
export function wholeText({ mode }: Pick<ProbeTarget, 'mode'>, open: string, reply: string): string {
  if (mode !== 'history' || open.trim() === '') return open + reply;
  return reply.trimStart().startsWith(open.trimStart().slice(0, BEGINNING)) ? reply : open + reply;
}

/** Whether the model is made to go on from open turns of its own. */
export const goesOnFromOpenTurns = ({ mode, model }: Pick<ProbeTarget, 'mode' | 'model'>): boolean =>
  mode !== 'history' && model.can.prefill;

const NO_PREFILL =
  'needs an open turn that the model goes on from, which this endpoint was not shown to do; measure it by --mode history';

/** Why a behaviour cannot be measured at all; undefined where at least a part of it can. */
export function whyNot<Problem>(
  { mode, model }: ProbeTarget,
  behaviour: Behaviour,
  family: ProblemFamily<Problem>,
): string | undefined {
  if (mode === 'history' || model.can.prefill) return undefined;
  const inPart = behaviour === 'loops' || (behaviour === 'error-checking' && inWords(family));
  return !inPart && behaviourOf(behaviour).openTurn ? NO_PREFILL : undefined;
}

/** The metrics of a behaviour that is measured otherwise, which go without. */
export function missing<Problem>(
  target: ProbeTarget,
  behaviour: Behaviour,
  family: ProblemFamily<Problem>,
): Skipped[] {
  const without = (metric: MetricName, why: string) => ({ behaviour, metric, why });
  const { can } = target.model;
  const uncounted = target.mode !== 'history' && !can.prefill && !can.logprobs;
  if (behaviour === 'error-checking') return [...inTurnMissing(target, family), ...latentMissing(target)];
  if (behaviour === 'loops' && uncounted) return [without('next_copy_probability', NO_PREFILL)];
  if (behaviour === 'base-quality' && target.baseText === undefined) return [without('nats_per_token', NO_BASE_TEXT)];
  return [];
} // biome-ignore format: one case a line

const NO_BASE_TEXT = 'needs held-out text of the kind that the model was trained on, and none is declared';

function inTurnMissing<Problem>(target: ProbeTarget, family: ProblemFamily<Problem>): Skipped[] {
  if (!inWords(family) || goesOnFromOpenTurns(target)) return [];
  const why = 'a check in the turn of the work itself needs prefill; the review in a turn of its own is measured';
  return [{ behaviour: 'error-checking', metric: 'j', why }];
}

function latentMissing({ model: { can } }: ProbeTarget): Skipped[] {
  if (can.logprobs) return [];
  const where = can.ownLogprobs ? '; read off what it sampled itself alone' : '';
  const why = `needs the logprobs of a given text, which this endpoint does not show${where}`;
  return [{ behaviour: 'error-checking', metric: 'latent_j', why }];
}

/** Says of every row and transcript that hangs on the mode that it was measured by history. */
export function inMode(mode: Mode | undefined, report: Pick<ProbeReport, 'rows' | 'transcripts'>) {
  if (mode !== 'history') return report;
  const askedToGoOn = ({ turns }: ProbeTranscript) => turns.some(({ text }) => GO_ON.some((words) => words === text));
  return {
    rows: report.rows.map((row) => (dependsOnMode(row.metric) ? marked(row) : row)),
    transcripts: report.transcripts.map((one) => (askedToGoOn(one) ? marked(one) : one)),
  };
}

function marked<T extends { condition?: string | undefined }>(what: T): T {
  return { ...what, condition: [what.condition, 'mode=history'].filter(Boolean).join(',') };
}
