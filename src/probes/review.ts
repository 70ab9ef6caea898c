import type { Reply } from '../conversation/chat-model.ts';
import type { Conversation } from '../conversation/conversation.ts';
import { firstWrongStep, type Verdict } from '../problems/first-wrong-step.ts';
import type { ProbeRow, ProbeTranscript } from '../results/probe-report.ts';
import { roleSwap } from '../wrong-turns/role-swap.ts';
import { type Bench, type Findings, type Lost, type Read, replyOnce, row, transcripts, unreadable } from './bench.ts';
import { hearsHeldOut, rowsByWording, wording } from './wording.ts';
import { type Arm, type Case, firstWrong } from './wrong-cases.ts';

/** Whose turn the work stands in. */
const SPEAKERS = { own: 'treated', user: 'control' } as const;
type Speaker = keyof typeof SPEAKERS;

/** What was said of each case. */
type Reviewed = { readonly conversation: Conversation; readonly reply: Reply; readonly verdict: Verdict | undefined };

/**
 * The review: the whole solution stands there, as the model's own or as the user's, and the model is asked for the first
 * wrong step or to say that there is none (as ProcessBench does, arXiv 2412.06559). Nothing has to be gone on from, so any
 * chat model can be asked. What cannot be read is no verdict: neither a hit nor an alarm.
 */
export async function review<Problem>(
  bench: Bench<Problem>,
  right: readonly Case<Problem>[],
  arms: readonly Arm<Problem>[],
): Promise<Findings> {
  const rows: ProbeRow[] = [];
  const shown: ProbeTranscript[] = [];
  for (const speaker of ['own', 'user'] as const) {
    const lost: Lost<Problem>[] = [];
    const passed = await reviewed(bench, right, speaker);
    const alarms = passed.map(({ verdict }) => Number(typeof verdict === 'number'));
    const clean = passed.map(({ verdict }) => Number(verdict === 'none'));
    rows.push(...rowsByWording(bench, 'review_false_alarms', `said=${speaker}`, alarms.map(share)));
    lost.push(verdictless(right, passed));
    shown.push(...read(bench, `said=${speaker},kind=right`, right, passed));
    for (const arm of arms) {
      const found = await reviewed(bench, arm.cases, speaker);
      const condition = `said=${speaker},${arm.condition}`;
      rows.push(...armRows(bench, condition, arm.cases, found, byProblem(bench, right, alarms), rate(clean)));
      lost.push(verdictless(arm.cases, found));
      shown.push(...read(bench, condition, arm.cases, found));
    }
    rows.push(...unreadable(bench, `review,said=${speaker}`, lost));
  }
  return { rows, transcripts: shown };
}

/**
 * The review of work that came with its label, as ProcessBench and BIG-Bench-Mistake have it. A problem's work is either
 * wrong or right, so hits and false alarms are of different problems, and there is no J by problem.
 */
export async function reviewGraded<Problem>(bench: Bench<Problem>, cases: readonly Case<Problem>[]): Promise<Findings> {
  const rows: ProbeRow[] = [];
  const shown: ProbeTranscript[] = [];
  for (const speaker of ['own', 'user'] as const) {
    const condition = `said=${speaker},kind=graded`;
    const found = await reviewed(bench, cases, speaker);
    rows.push(
      ...gradedRows(bench, condition, cases, found),
      ...unreadable(bench, `review,${condition}`, [verdictless(cases, found)]),
    );
    shown.push(...read(bench, condition, cases, found));
  }
  return { rows, transcripts: shown };
}

function gradedRows<Problem>(bench: Bench<Problem>, condition: string, cases: readonly Case<Problem>[], found: readonly Reviewed[]): ProbeRow[] {
  const at = (wrong: boolean) => [...cases.keys()].filter((index) => firstWrong(cases[index]!.steps) >= 0 === wrong);
  const of = (places: readonly number[], value: (index: number) => boolean) => places.map((index) => Number(value(index)));
  const problems = (places: readonly number[]) => places.map((index) => cases[index]!.problem);
  const [wrong, right] = [at(true), at(false)];
  const hits = of(wrong, (index) => isRight(found[index]!.verdict, cases[index]!));
  const passed = of(right, (index) => found[index]!.verdict === 'none');
  const alarms = of(right, (index) => typeof found[index]!.verdict === 'number');
  const note = `F1 ${harmonic(rate(hits), rate(passed)).toFixed(3)}, of naming the step and passing right work`;
  const both = hits.length > 0 && passed.length > 0;
  return [
    { ...row(bench, 'review_found', condition, hits, problems(wrong)), ...(both && { note }) },
    row(bench, 'review_false_alarms', condition, alarms, problems(right)),
  ].filter(({ outcomes }) => outcomes.length > 0);
} // biome-ignore format: one line a statement

async function reviewed<Problem>(
  bench: Bench<Problem>,
  cases: readonly Case<Problem>[],
  speaker: Speaker,
): Promise<Reviewed[]> {
  const { family, target, seed } = bench;
  const conversations = cases.map(({ problem, steps }) => {
    return roleSwap(family, problem, family.reply(steps), wording(bench, problem, 'review'))[SPEAKERS[speaker]]
      .conversation;
  });
  const replies = await replyOnce(target.model, conversations, family.replyTokens, 0, seed, KEPT);
  return replies.map((reply, index) => {
    const verdict = firstWrongStep(reply.text, cases[index]!.steps.length);
    return { conversation: conversations[index]!, reply, verdict };
  });
}

/** Transcripts that are kept of each kind, with their tokens. */
const KEPT = 6;

/** Found is what is named exactly. */
function armRows<Problem>(
  bench: Bench<Problem>,
  condition: string,
  cases: readonly Case<Problem>[],
  found: readonly Reviewed[],
  alarms: ReadonlyMap<string, number>,
  passedRate: number,
): ProbeRow[] {
  const problems = cases.map(({ problem }) => problem);
  const hits = found.map(({ verdict }, index) => Number(isRight(verdict, cases[index]!)));
  const j = hits.map((hit, index) => hit - alarms.get(bench.family.id(problems[index]!))!);
  const heldOut = problems.map((problem) => hearsHeldOut(bench, problem));
  const pick = <T>(items: readonly T[]) => items.filter((_, index) => heldOut[index]);
  const [hitRate, f1] = [rate(hits), harmonic(rate(hits), passedRate)];
  const note = `F1 ${f1.toFixed(3)}, of naming the step (${hitRate.toFixed(3)}) and passing right work (${passedRate.toFixed(3)})`;
  return [
    row(bench, 'review_found', condition, hits, problems),
    { ...row(bench, 'review_j', condition, j, problems), ...(hits.length > 0 && { note }) },
    row(bench, 'review_j', `${condition},wording=held_out`, pick(j), pick(problems)),
  ];
}

const share = (numerator: number) => ({ numerator, denominator: 1 });

/** The verdict that a case deserves. */
const isRight = (verdict: Verdict | undefined, { steps }: Pick<Case<unknown>, 'steps'>): boolean => {
  const at = firstWrong(steps);
  return verdict === (at < 0 ? 'none' : at + 1);
};

const rate = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;

const harmonic = (a: number, b: number): number => (a + b === 0 ? 0 : (2 * a * b) / (a + b));

const byProblem = <Problem>({ family }: Bench<Problem>, cases: readonly Case<Problem>[], numbers: readonly number[]) =>
  new Map(cases.map(({ problem }, index) => [family.id(problem), numbers[index]!]));

const verdictless = <Problem>(cases: readonly Case<Problem>[], found: readonly Reviewed[]): Lost<Problem> => ({
  lost: found.map(({ verdict }) => verdict === undefined),
  problems: cases.map(({ problem }) => problem),
});

function read<Problem>(
  bench: Bench<Problem>,
  condition: string,
  cases: readonly Case<Problem>[],
  found: readonly Reviewed[],
): ProbeTranscript[] {
  const reads = found.map(({ conversation, reply }, index): Read => {
    const { problem } = cases[index]!;
    return { conversation, reply, reading: bench.family.read(problem, reply.text, reply.stopReason) };
  });
  const good = (one: Read) => isRight(found[reads.indexOf(one)]!.verdict, cases[reads.indexOf(one)]!);
  return transcripts(bench, 'error-checking', condition, reads, good, cases.map(({ problem }) => problem));
} // biome-ignore format: one line a statement
