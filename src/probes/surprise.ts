import type { TokenLogprob } from '../conversation/chat-model.ts';
import type { WorkedStep } from '../problems/problem-family.ts';
import { workInProgress } from '../problems/problem-family.ts';
import { asked } from '../wrong-turns/turns.ts';
import type { Bench } from './bench.ts';

/** A step is flagged when the model's own surprise at one of its tokens exceeds this. */
export const SURPRISED = 0.5;

/**
 * How much each step of a worked answer surprises the model that is taken to have written it: f = 1 - p(written) / max p,
 * the largest over the tokens of a step. Needs no verdict of the model, only its logprobs. Returns `[work][step]`; undefined
 * where the model does not show them.
 */
export async function surpriseOfSteps<Problem>(
  bench: Bench<Problem>,
  works: readonly { readonly problem: Problem; readonly steps: readonly WorkedStep[] }[],
): Promise<number[][] | undefined> {
  if (!bench.target.model.can.logprobs) return undefined;
  const items = works.map(({ problem, steps }) => ({
    conversation: [asked(bench.family.prompt(problem))],
    continuation: workInProgress(steps),
  }));
  const logprobs = await bench.target.model.logprobs(items);
  return logprobs.map((tokens, index) => surprise(tokens, spansOf(works[index]!.steps)));
}

/**
 * The same of a reply as it was sampled, whose steps stand among other words; undefined where a step is not found in its
 * tokens.
 */
export function surpriseAsSampled(tokens: readonly TokenLogprob[], steps: readonly WorkedStep[]): number[] | undefined {
  const text = tokens.map((token) => token.text).join('');
  const spans: Span[] = [];
  for (const step of steps) {
    const words = step.text.trim();
    const from = text.indexOf(words, spans.at(-1)?.to);
    if (from < 0) return undefined;
    spans.push({ from, to: from + words.length });
  }
  return surprise(tokens, spans);
}

/** A part of a text, in characters. */
type Span = { readonly from: number; readonly to: number };

/** One step behind the other. */
function spansOf(steps: readonly WorkedStep[]): Span[] {
  const spans: Span[] = [];
  for (const { text } of steps) {
    const from = spans.at(-1)?.to ?? 0;
    spans.push({ from, to: from + text.length });
  }
  return spans;
}

/** A token belongs to the step in which it begins. */
function surprise(tokens: readonly TokenLogprob[], spans: readonly Span[]): number[] {
  const largest = spans.map(() => 0);
  let at = 0;
  for (const { text, logprob, topLogprob } of tokens) {
    const step = spans.findIndex(({ from, to }) => from <= at && at < to);
    if (step >= 0) largest[step] = Math.max(largest[step]!, 1 - Math.exp(logprob - topLogprob));
    at += text.length;
  }
  return largest;
}
