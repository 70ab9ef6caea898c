import type { Datum, Policy, Sampler, TokenIds } from '../../engine/engine.ts';
import type { Stream } from '../../random.ts';
import { stream } from '../../random.ts';
import type { ByteModel } from './ngram.ts';
import { type SmallShape, type Training, train } from './small-model.ts';

/** Stands before every text. */
export const START = 256;

export const BYTE_VOCABULARY = 257;

/** Trains a byte-level decoder on texts: windows drawn at random, each text with its start token. */
export async function trainOnBytes(
  policy: Policy,
  texts: readonly Uint8Array[],
  { context }: Pick<SmallShape, 'context'>,
  {
    steps,
    learningRate,
    rows,
    seed,
    after,
  }: Omit<Training, 'batch'> & { readonly rows: number; readonly seed: number },
): Promise<void> {
  const tokens = texts.flatMap((text) => [START, ...text]);
  await train(policy, {
    steps,
    learningRate,
    batch: (step) => windows(tokens, rows, context, stream(seed, 'windows', step)),
    ...(after && { after }),
  });
}

function windows(tokens: TokenIds, rows: number, context: number, draws: Stream): Datum[] {
  const length = Math.min(context, tokens.length - 1);
  return Array.from({ length: rows }, () => {
    const from = draws.integer(tokens.length - length);
    const window = tokens.slice(from, from + length + 1);
    return { input: window.slice(0, -1), targets: window.slice(1) };
  });
}

/**
 * A sampler over bytes as a {@link ByteModel}. A text longer than the context is read in windows that overlap by half, so
 * that every byte but the first has half a context before it.
 */
export function byteModel(sampler: Sampler, context: number): ByteModel {
  return {
    async logprobs(text) {
      const tokens = [START, ...text];
      const half = Math.floor(context / 2);
      const starts = Array.from(
        { length: Math.max(1, Math.ceil((tokens.length - half) / half)) },
        (_, at) => at * half,
      );
      const found = await sampler.logprobs(starts.map((from) => tokens.slice(from, from + context)));
      const all = new Float64Array(tokens.length);
      starts.forEach((from, index) => {
        const own = found[index] ?? new Float32Array();
        const first = from === 0 ? 1 : half;
        for (let at = first; at < own.length; at++) all[from + at] = own[at] ?? 0;
      });
      return all.subarray(1);
    },
  };
}
