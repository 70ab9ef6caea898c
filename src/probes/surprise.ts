import type { TokenLogprob } from '../chat/chat-model.ts';
import type { WorkedStep } from '../problems/problem-family.ts';
import { workInProgress } from '../problems/problem-family.ts';
import { asked } from '../wrong-turns/turns.ts';
import type { Bench } from './bench.ts';

/** A step is flagged when the model's own surprise at one of its tokens exceeds this. */
export const SURPRISED = 0.5;

/**
 * Which steps of a worked answer surprise the model that is taken to have written them: f = 1 - p(written) / max p, the
 * largest over the tokens of a step. Needs no verdict of the model, only its logprobs. Returns `[work][step]`; undefined
 * where the model does not show them.
 */
export async function surprisedSteps<Problem>(
  bench: Bench<Problem>,
  works: readonly { readonly problem: Problem; readonly steps: readonly WorkedStep[] }[],
): Promise<boolean[][] | undefined> {
  if (!bench.target.model.can.logprobs) return undefined;
  const items = works.map(({ problem, steps }) => ({
    conversation: [asked(bench.family.prompt(problem))],
    continuation: workInProgress(steps),
  }));
  const logprobs = await bench.target.model.logprobs(items);
  return logprobs.map((tokens, index) => stepSurprise(tokens, works[index]!.steps).map((f) => f > SURPRISED));
}

/** Largest surprise per step; a token belongs to the step in which it begins. */
function stepSurprise(tokens: readonly TokenLogprob[], steps: readonly WorkedStep[]): number[] {
  const surprise = steps.map(() => 0);
  let step = 0;
  let left = steps[0]!.text.length;
  for (const { text, logprob, topLogprob } of tokens) {
    while (left <= 0 && step < steps.length - 1) left += steps[++step]!.text.length;
    surprise[step] = Math.max(surprise[step]!, 1 - Math.exp(logprob - topLogprob));
    left -= text.length;
  }
  return surprise;
}
