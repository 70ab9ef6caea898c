import type { Reply } from '../conversation/chat-model.ts';
import { inWords, type WorkedStep } from '../problems/problem-family.ts';
import { asked } from '../wrong-turns/turns.ts';
import type { Bench } from './bench.ts';

/** Work with a wrong step in it that the model sampled itself, the steps before it right. */
export type OwnError<Problem> = {
  readonly problem: Problem;
  readonly steps: readonly WorkedStep[];
  readonly firstWrong: number;
  /** As it was sampled; with its tokens where they are the only ones whose logprobs are shown. */
  readonly reply: Reply;
};

/** Hotter where the model has become too careful to err: an error at T = 2 is still its own. */
const TEMPERATURES = [1, 1, 1.5, 1.5, 2, 2] as const;

/**
 * Harvests from what the model says itself: each problem is sampled until a reply is of the kind looked for, ever hotter.
 * Problems that never yield one are left out, so that what is measured on them says its own n.
 */
export async function harvest<Problem, Found>(
  bench: Bench<Problem>,
  find: (problem: Problem, reply: Reply) => Found | undefined,
): Promise<Found[]> {
  const found: Found[] = [];
  let open = bench.problems;
  for (const [round, temperature] of TEMPERATURES.entries()) {
    const replies = await sampled(bench, open, temperature, round);
    const finds = open.map((problem, index) => find(problem, replies[index]!));
    found.push(...finds.filter((one) => one !== undefined));
    open = open.filter((_, index) => finds[index] === undefined);
    if (open.length === 0) break;
  }
  return found;
}

/** Own errors in the working, step by step. */
export function harvestOwnErrors<Problem>(bench: Bench<Problem>): Promise<OwnError<Problem>[]> {
  return harvest(bench, (problem, reply) => ownError(bench, problem, reply));
}

/** Every harvest asks alike, so that an endpoint is not asked twice for the same. */
async function sampled<Problem>(
  { family, target, seed }: Bench<Problem>,
  problems: readonly Problem[],
  temperature: number,
  round: number,
): Promise<Reply[]> {
  const prompts = problems.map((problem) => [asked(family.prompt(problem))]);
  const tokensOfFirst = inWords(family) && !target.model.can.logprobs ? prompts.length : 0;
  const how = { maxTokens: family.replyTokens, temperature, seed: seed + round, samples: 1, tokensOfFirst };
  return (await target.model.reply(prompts, how)).map(([reply]) => reply!); // one was asked for
}

/** Only steps that can be followed up count: a complete first pass, its first wrong step known. */
function ownError<Problem>(bench: Bench<Problem>, problem: Problem, reply: Reply): OwnError<Problem> | undefined {
  const { steps } = bench.family.read(problem, reply.text);
  const firstWrong = steps.findIndex((step) => !step.right);
  const complete = steps.length === bench.family.length(problem);
  return complete && firstWrong >= 0 ? { problem, steps, firstWrong, reply } : undefined;
}
