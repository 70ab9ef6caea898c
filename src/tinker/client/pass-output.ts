import type { Datum, Loss, LossOutput } from '../../engine/engine.ts';
import { EngineError } from '../../errors.ts';
import { decodeForwardBackwardOutput, type ForwardBackwardOutput } from '../wire/forward-backward.ts';
import { lossValue } from './loss-value.ts';

/**
 * What a pass over one chunk came to. The loss is worked out from the logprobs where the server does not say it.
 * @throws EngineError, WireError where the answer does not fit what was asked.
 */
export function passOutput(bytes: Uint8Array, batch: readonly Datum[], loss: Loss): LossOutput {
  const output = decodeForwardBackwardOutput(bytes);
  const logprobs = batch.map((datum, index) => logprobsOf(output, datum, index));
  return { loss: output.metrics['loss:sum'] ?? lossValue(batch, loss, logprobs), logprobs };
}

export function joinOutputs(parts: readonly LossOutput[]): LossOutput {
  return { loss: parts.reduce((sum, { loss }) => sum + loss, 0), logprobs: parts.flatMap(({ logprobs }) => logprobs) };
}

function logprobsOf({ outputs }: ForwardBackwardOutput, { input, targets }: Datum, index: number): Float32Array {
  const values = outputs[index]?.logprobs?.values;
  if (values?.length === input.length) return Float32Array.from(values);
  if (values && 'k' in targets && values.length === input.length * targets.k) return expected(values, targets);
  throw new EngineError(`datum ${index}: ${values?.length ?? 'no'} logprobs came for ${input.length} tokens`);
}

/** Cross entropy with its sign turned, where the server gives each alternative's logprob. */
function expected(logprobs: ArrayLike<number>, { probabilities, k }: { probabilities: Float32Array; k: number }) {
  const sums = new Float32Array(probabilities.length / k);
  probabilities.forEach((share, at) => {
    if (share !== 0) sums[Math.floor(at / k)]! += share * logprobs[at]!;
  });
  return sums;
}
