import type { WorkedStep } from '../problems/problem-family.ts';
import { asked } from '../wrong-turns/turns.ts';
import { type Bench, replyOnce } from './bench.ts';

/** Work with a wrong step in it that the model sampled itself, the steps before it right. */
export type OwnError<Problem> = {
  readonly problem: Problem;
  readonly steps: readonly WorkedStep[];
  readonly firstWrong: number;
};

/** Hotter where the model has become too careful to err: an error at T = 2 is still its own. */
const TEMPERATURES = [1, 1, 1.5, 1.5, 2, 2] as const;

/**
 * Harvests own errors: each problem is sampled until a reply has a wrong step, ever hotter. Problems that never yield
 * one are left out, so that what is measured on them says its own n.
 */
export async function harvestOwnErrors<Problem>(bench: Bench<Problem>): Promise<OwnError<Problem>[]> {
  const { family, target, seed } = bench;
  const found: OwnError<Problem>[] = [];
  let open = bench.problems;
  for (const [round, temperature] of TEMPERATURES.entries()) {
    const prompts = open.map((problem) => [asked(family.prompt(problem))]);
    const replies = await replyOnce(target.model, prompts, family.replyTokens, temperature, seed + round);
    const errors = open.map((problem, index) => ownError(bench, problem, replies[index]!.text));
    found.push(...errors.filter((error) => error !== undefined));
    open = open.filter((_, index) => errors[index] === undefined);
    if (open.length === 0) break;
  }
  return found;
}

/** Only steps that can be followed up count: a complete first pass, its first wrong step known. */
function ownError<Problem>(bench: Bench<Problem>, problem: Problem, text: string): OwnError<Problem> | undefined {
  const { steps } = bench.family.read(problem, text);
  const firstWrong = steps.findIndex((step) => !step.right);
  const complete = steps.length === bench.family.length(problem);
  return complete && firstWrong >= 0 ? { problem, steps, firstWrong } : undefined;
}
