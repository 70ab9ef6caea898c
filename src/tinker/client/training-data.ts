import type { Datum, Loss, SoftTargets, TokenIds } from '../../engine/engine.ts';
import type { WireDatum } from '../wire/forward-backward.ts';
import type { Tensor } from '../wire/tensor.ts';

/** @file Data and losses in the words of the protocol. */

export const lossConfig = (loss: Loss): Record<string, number> => {
  if ('low' in loss) return { clip_low_threshold: loss.low, clip_high_threshold: loss.high };
  return 'beta' in loss ? { beta: loss.beta } : {};
};

export function wireDatum(datum: Datum, { kind }: Loss): WireDatum {
  const { input, targets, logprobs, advantages } = datum;
  const streams =
    kind === 'cross_entropy'
      ? { weights: weightsOf(datum) }
      : { logprobs: floats(logprobs!), advantages: floats(advantages!) }; // checked before
  return { input: [{ kind: 'text', tokens: input }], lossInputs: { target_tokens: targetTokens(targets), ...streams } };
}

function targetTokens(targets: TokenIds | SoftTargets): Tensor {
  if (!('k' in targets)) return { dtype: 'int64', shape: [targets.length], values: targets };
  const { tokens, k } = targets;
  return { dtype: 'int64', shape: [tokens.length / k, k], values: tokens };
}

/** Of soft targets each alternative has its own: the position's weight times its probability. */
function weightsOf({ input, targets, weights }: Datum): Tensor {
  if (!('k' in targets)) return floats(weights ?? input.map(() => 1));
  const { probabilities, k } = targets;
  const values = probabilities.map((share, at) => share * (weights?.[Math.floor(at / k)] ?? 1));
  return { dtype: 'float32', shape: [input.length, k], values };
}

const floats = (values: ArrayLike<number>): Tensor => ({ dtype: 'float32', shape: [values.length], values });

export type ChunkLimits = { readonly data: number; readonly bytes: number };

/** Where a service does not say. */
export const CHUNK: ChunkLimits = { data: 1024, bytes: 5e6 };

/** Cuts a batch into requests, in order; a datum that is larger than a request goes alone. */
export function cutIntoChunks(batch: readonly Datum[], limits: ChunkLimits): Datum[][] {
  const chunks: Datum[][] = [];
  let bytes = Infinity;
  for (const datum of batch) {
    const size = bytesOf(datum);
    if (bytes + size > limits.bytes || chunks.at(-1)!.length === limits.data) {
      chunks.push([]);
      bytes = 0;
    }
    chunks.at(-1)!.push(datum); // the first datum opens the first chunk
    bytes += size;
  }
  return chunks;
}

/** Four bytes an id of the input, eight a target, four a number of a stream. */
function bytesOf({ input, targets }: Datum): number {
  return input.length * 4 + ('k' in targets ? targets.tokens.length * 12 : input.length * 16);
}
