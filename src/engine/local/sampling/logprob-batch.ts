import type { TokenIds } from '../../engine.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { Tensors } from '../runtime/host-tensor.ts';
import { textFeeds } from './text-feeds.ts';

/** Tokens, padding included, that go through the graph together. */
const TOKENS = 2048;

/** Places of sequences of like length. */
export type LogprobBatch = readonly number[];

/** Longest first; the cut depends on the data alone. */
export function cutIntoLogprobBatches(sequences: readonly TokenIds[]): LogprobBatch[] {
  const order = [...sequences.keys()].sort((a, b) => sequences[b]!.length - sequences[a]!.length || a - b);
  const batches: number[][] = [];
  for (const index of order) {
    const open = batches.at(-1);
    if (open !== undefined && (open.length + 1) * sequences[open[0]!]!.length <= TOKENS) open.push(index);
    else batches.push([index]);
  }
  return batches;
}

/** `next` is the token after each position, 0 where there is none. */
export function logprobFeeds(sequences: readonly TokenIds[], batch: LogprobBatch, config: ModelConfig): Tensors {
  const texts = batch.map((index) => sequences[index]!);
  const time = texts[0]!.length;
  const next = new BigInt64Array(texts.length * time);
  texts.forEach((text, row) => {
    for (let at = 1; at < text.length; at++) next[row * time + at - 1] = BigInt(text[at]!);
  });
  return { ...textFeeds(texts, config, time), next: { type: 'int64', data: next, shape: [next.length, 1] } };
}
