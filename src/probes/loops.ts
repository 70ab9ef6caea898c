import { inWords } from '../problems/problem-family.ts';
import { chatSideTasks } from '../problems/side-tasks.ts';
import { stream } from '../random.ts';
import type { ProbeRow } from '../results/probe-report.ts';
import type { Ratio } from '../stats/outcome.ts';
import { repeatedStep } from '../wrong-turns/repeated-step.ts';
import { asked } from '../wrong-turns/turns.ts';
import { rightWork } from '../wrong-turns/wrong-work.ts';
import { type Bench, drawsFor, type Findings, type Probe, ratioRow, readGreedily, replyOnce, row } from './bench.ts';
import { hasSteps } from './family-needs.ts';
import { told } from './mode.ts';
import { runsIntoLoop } from './repetition.ts';

const COPIES = [1, 2, 3, 4, 6] as const;

/**
 * Does repetition feed on itself? The last step stands k times in the context instead of once, and the probability of
 * one copy more is read off; free-running replies are searched for loops. Mirror: asked to repeat something exactly n
 * times, the model still does.
 */
export const loops: Probe = {
  behaviour: 'loops',
  competence: 'unneeded',
  tokensPerProblem: 60,
  async measure(bench) {
    const report: Findings = { rows: [], transcripts: [] };
    for (const copies of COPIES) report.rows.push(...(await nextCopyRow(bench, copies)));
    report.rows.push(...(await loopRows(bench)));
    report.rows.push(row(bench, 'repeat_obeyed', undefined, await repeatsObeyed(bench)));
    return report;
  },
};

/** Free-running replies at T = 1, and greedy ones from families in words, where greed is what loops most. */
async function loopRows<Problem>(bench: Bench<Problem>): Promise<ProbeRow[]> {
  const { family, problems, target, seed } = bench;
  const prompts = problems.map((problem) => [asked(family.prompt(problem))]);
  const looped = (text: string) => family.runsIntoLoop?.(text) ?? runsIntoLoop(text);
  const free = await replyOnce(target.model, prompts, family.replyTokens, 1, seed);
  const rows = [row(bench, 'loop_rate', 'temperature=1', free.map(({ text }) => looped(text)))];
  if (!inWords(family)) return rows;
  const greedy = await readGreedily(bench, prompts);
  return [...rows, row(bench, 'loop_rate', 'temperature=0', greedy.map(({ reply }) => looped(reply.text)))];
} // biome-ignore format: one line a statement

/** Read off the logprobs where the model shows them, else counted in samples; nothing where neither can be. */
async function nextCopyRow<Problem>(bench: Bench<Problem>, copies: number): Promise<ProbeRow[]> {
  const { model, mode } = bench.target;
  if (!hasSteps(bench.family, bench.problems)) return [];
  const items = copiedSteps(bench, copies);
  const condition = `copies=${copies}`;
  if (model.can.logprobs && mode !== 'history') {
    return [row(bench, 'next_copy_probability', condition, await likelihood(bench, items))];
  }
  if (!model.can.prefill && mode !== 'history') return [];
  const counted = await sampledCopies(bench, items);
  return [{ ...ratioRow(bench, 'next_copy_probability', condition, counted), note: SAMPLED_NOTE }];
}

/** A context with the last step so often, and the step. */
function copiedSteps<Problem>(bench: Bench<Problem>, copies: number) {
  const { family } = bench;
  return bench.problems.map((problem) => {
    const draws = drawsFor(bench, problem, 'repeated step');
    const steps = rightWork(family, problem, draws, 1 + draws.integer(family.length(problem) - 1));
    const pair = copies === 1 ? undefined : repeatedStep(family, problem, steps, copies);
    const conversation = pair?.treated.conversation ?? repeatedStep(family, problem, steps, 2).control.conversation;
    return { conversation, continuation: steps.at(-1)!.text };
  });
}

type Copied = ReturnType<typeof copiedSteps>;

/** Probability of the whole next copy, by problem. */
async function likelihood<Problem>(bench: Bench<Problem>, items: Copied): Promise<number[]> {
  const logprobs = await bench.target.model.logprobs(items);
  return logprobs.map((tokens) => Math.exp(tokens.reduce((sum, { logprob }) => sum + logprob, 0)));
}

const SAMPLES = 4;
const SAMPLED_NOTE = `counted in ${SAMPLES} samples a problem at T = 1, not read off logprobs`;

/** How many of the samples begin with the copy, by problem. A copy has no more tokens than characters. */
async function sampledCopies<Problem>({ target, seed }: Bench<Problem>, items: Copied): Promise<Ratio[]> {
  const maxTokens = Math.max(...items.map(({ continuation }) => continuation.length));
  const conversations = items.map(({ conversation }) => told(target, conversation));
  const replies = await target.model.reply(conversations, { maxTokens, temperature: 1, seed, samples: SAMPLES });
  return replies.map((samples, index) => {
    const copy = items[index]!.continuation.trim();
    return {
      numerator: samples.filter(({ text }) => text.trim().startsWith(copy)).length,
      denominator: samples.length,
    };
  });
}

/** "Repeat this n times", n from 2 to 6. */
async function repeatsObeyed<Problem>({ family, problems, seed, target }: Bench<Problem>): Promise<boolean[]> {
  const sideTasks = family.sideTasks ?? chatSideTasks;
  const tasks = problems.map((problem) => sideTasks.repeat(stream(seed, 'repeat task', family.id(problem))));
  const prompts = tasks.map(({ prompt }) => [asked(prompt)]);
  const replies = await replyOnce(target.model, prompts, sideTasks.replyTokens.repeat, 0, seed);
  return replies.map(({ text }, index) => tasks[index]!.done(text));
}
