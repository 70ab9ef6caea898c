import { type Change, change } from '../../stats/change.ts';
import { type Estimate, estimate } from '../../stats/estimate.ts';
import type { Outcome } from '../../stats/outcome.ts';
import type { Document } from './corpus.ts';
import type { ByteModel } from './ngram.ts';

/** Bits that each document costs over its bytes: one outcome a document, so that intervals resample documents. */
export async function bitsPerByte(model: ByteModel, documents: readonly Document[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const { name, bytes } of documents) {
    const logprobs = await model.logprobs(bytes);
    const nats = -logprobs.reduce((sum, logprob) => sum + logprob, 0);
    outcomes.push({ problem: name, numerator: nats / Math.LN2, denominator: bytes.length });
  }
  return outcomes;
}

/** Bits a byte with its interval, over documents. */
export const bitsEstimate = (outcomes: readonly Outcome[]): Estimate => estimate(outcomes, { seed: 1 });

/** Second minus first in bits a byte, paired by document. */
export const bitsChange = (first: readonly Outcome[], second: readonly Outcome[]): Change =>
  change(first, second, { seed: 1 });
