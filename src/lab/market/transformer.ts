import type { Sampler } from '../../engine/engine.ts';
import { stream } from '../../random.ts';
import { train, withSmallModel } from '../text/small-model.ts';
import { BINS } from './bins.ts';

type Size = {
  readonly steps: number;
  readonly rows: number;
  readonly context: number;
  readonly width: number;
  readonly layers: number;
  readonly learningRate: number;
};

/** Probabilities of each test day under a small transformer that has learnt from the training days, `[day][BINS]`. */
export async function transformerPredictions(
  bins: readonly number[],
  from: number,
  size: Size,
  seed: number,
  progress: (share: number) => void,
): Promise<number[][]> {
  const shape = {
    vocabulary: BINS,
    width: size.width,
    layers: size.layers,
    heads: size.width / 32,
    context: size.context,
  };
  return withSmallModel(shape, seed, async ({ policy }) => {
    await train(policy, {
      steps: size.steps,
      learningRate: size.learningRate,
      batch: (step) => {
        const draws = stream(seed, 'market windows', step);
        return Array.from({ length: size.rows }, () => {
          const start = draws.integer(from - size.context - 1);
          const days = bins.slice(start, start + size.context + 1);
          return { input: days.slice(0, -1), targets: days.slice(1) };
        });
      },
      after: (share) => progress(share * 0.9),
    });
    return predictions(await policy.sampler(), bins, from, size.context);
  });
}

/** Each test day behind as many days as the context holds. */
async function predictions(
  sampler: Sampler,
  bins: readonly number[],
  from: number,
  context: number,
): Promise<number[][]> {
  const days = bins.slice(from).map((_, at) => bins.slice(Math.max(0, from + at - context + 1), from + at));
  const top = await sampler.topLogprobs(
    days,
    BINS,
    days.map((own) => own.length - 1),
  );
  return top.map(({ tokens, logprobs, k }, index) => {
    const last = ((days[index]?.length ?? 1) - 1) * k;
    const row = new Array<number>(BINS).fill(0);
    for (let at = 0; at < k; at++) row[tokens[last + at] ?? 0] = Math.exp(logprobs[last + at] ?? 0);
    return row;
  });
}
