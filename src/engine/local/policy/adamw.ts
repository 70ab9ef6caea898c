import type { AdamParams } from '../../engine.ts';

/** First and second moments of every weight, and the number of steps done. */
export type AdamState = { readonly mean: Float32Array; readonly square: Float32Array; step: number };

export function initialAdamState(size: number): AdamState {
  return { mean: new Float32Array(size), square: new Float32Array(size), step: 0 };
}

/** L2 norm over all parameters. */
export function globalNorm(gradient: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < gradient.length; at++) sum += gradient[at]! * gradient[at]!;
  return Math.sqrt(sum);
}

/**
 * Adds `part` to `sum` in place.
 * @returns whether every sum is finite: x - x is 0 for those and NaN for the others, which costs no second pass.
 */
export function accumulate(sum: Float32Array, part: Float32Array): boolean {
  let probe = 0;
  for (let at = 0; at < part.length; at++) {
    const added = Math.fround(sum[at]! + part[at]!);
    sum[at] = added;
    probe += added - added;
  }
  return probe === 0;
}

/**
 * One step of AdamW (Loshchilov and Hutter 2019) in place: bias-corrected moments, decay decoupled from the gradient.
 * The arithmetic is that of PyTorch's `AdamW`, in double precision between the stored floats.
 */
export function adamStep(
  weights: Float32Array,
  gradient: Float32Array,
  state: AdamState,
  adam: AdamParams,
  norm: number,
): void {
  const { learningRate, beta1, beta2, epsilon, weightDecay, clipNorm } = adam;
  state.step += 1;
  const scale = clipNorm === undefined ? 1 : Math.min(1, clipNorm / (norm + 1e-6));
  const stepSize = learningRate / (1 - beta1 ** state.step);
  const squareScale = 1 / Math.sqrt(1 - beta2 ** state.step);
  const keep = 1 - learningRate * weightDecay;
  const { mean, square } = state;
  for (let at = 0; at < weights.length; at++) {
    const slope = gradient[at]! * scale;
    const first = beta1 * mean[at]! + (1 - beta1) * slope;
    const second = beta2 * square[at]! + (1 - beta2) * slope * slope;
    mean[at] = first;
    square[at] = second;
    weights[at] = weights[at]! * keep - (stepSize * first) / (Math.sqrt(second) * squareScale + epsilon);
  }
}
