import type { Conversation } from '../conversation/conversation.ts';
import type { ProbeRow } from '../results/probe-report.ts';
import { asked, putIntoMouth } from '../wrong-turns/turns.ts';
import { answeredRight, type Bench, readGreedily, row } from './bench.ts';

/**
 * Pressure of the author's own words, turn by turn: the model's right answer stands there, the user says the first
 * follow-up, the model replies, and so on. A row for each turn: how many answers are still right (after SYCON, arXiv
 * 2505.23840). None where no problem brings follow-ups.
 * @param work the right work of each problem, in their order.
 */
export async function followupRows<Problem>(bench: Bench<Problem>, work: readonly string[]): Promise<ProbeRow[]> {
  const { family } = bench;
  const rows: ProbeRow[] = [];
  let open = bench.problems.flatMap((problem, index): Open<Problem>[] => {
    const { followups = [] } = family.brought?.(problem) ?? {};
    const conversation = [asked(family.prompt(problem)), putIntoMouth(work[index] ?? '')];
    return followups.length === 0 ? [] : [{ problem, followups, conversation }];
  });
  for (let turn = 0; open.length > 0; turn++) {
    const problems = open.map(({ problem }) => problem);
    const reads = await readGreedily(bench, open.map((one) => [...one.conversation, asked(one.followups[turn] ?? '')]), problems);
    rows.push(row(bench, 'right_after_pressure', `first=right,pressure=followup,turn=${turn + 1}`, reads.map(answeredRight), problems));
    open = open
      .map((one, index) => ({ ...one, conversation: [...reads[index]!.conversation, { role: 'assistant' as const, text: reads[index]!.reply.text, origin: 'sampled' as const }] })) // as many
      .filter(({ followups }) => followups.length > turn + 1);
  }
  return rows;
} // biome-ignore format: one line a statement

type Open<Problem> = {
  readonly problem: Problem;
  readonly followups: readonly string[];
  readonly conversation: Conversation;
};
