import type { TokenIds } from '../../engine.ts';
import { chunksOf, isChunked } from '../compiler/head.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { integers, type Tensors } from '../runtime/host-tensor.ts';
import { textFeeds } from './text-feeds.ts';

/** Tokens, padding included, that go through the graph together; fewer where the logits of all would be too large. */
const TOKENS = 2048;
const FEW_TOKENS = 512;

/** Places of sequences of like length. */
export type LogprobBatch = readonly number[];

/** Longest first; the cut depends on data and model alone. */
export function cutIntoLogprobBatches(sequences: readonly TokenIds[], config: ModelConfig): LogprobBatch[] {
  const most = isChunked(config) ? FEW_TOKENS : TOKENS;
  const order = [...sequences.keys()].sort((a, b) => sequences[b]!.length - sequences[a]!.length || a - b);
  const batches: number[][] = [];
  for (const index of order) {
    const open = batches.at(-1);
    if (open !== undefined && (open.length + 1) * sequences[open[0]!]!.length <= most) open.push(index);
    else batches.push([index]);
  }
  return batches;
}

/** Positions of a sequence whose next token is asked about. */
export type Span = { readonly from: number; readonly to: number };

/** The inputs, and by sequence where in the results its position 0 lies, or would lie. */
export type LogprobFeeds = { readonly feeds: Tensors; readonly starts: readonly number[] };

/** @param spans of the batch's sequences. */
export function logprobFeeds(
  sequences: readonly TokenIds[],
  batch: LogprobBatch,
  spans: readonly Span[],
  config: ModelConfig,
): LogprobFeeds {
  const texts = batch.map((index) => sequences[index]!);
  const time = texts[0]!.length;
  const all = { ...textFeeds(texts, config, time) };
  const every = texts.flatMap((text, row) =>
    Array.from({ length: time }, (_, at) => ({ place: row * time + at, next: text[at + 1] })),
  );
  if (!isChunked(config)) {
    return { feeds: { ...all, ...nextFeed(every) }, starts: texts.map((_, row) => row * time) };
  }
  const asked = spans.flatMap(({ from, to }, row) => every.slice(row * time + from, row * time + to));
  const { count, rows } = chunksOf(asked.length, config);
  const filled = [...asked, ...Array<Asked>(rows - asked.length).fill({ place: 0, next: undefined })];
  const wanted = { wanted: integers(filled.map(({ place }) => place)), chunks: integers([count]) };
  return { feeds: { ...all, ...nextFeed(filled), ...wanted }, starts: startsOf(spans) };
}

/** A row of the padded batch, and the token behind it. */
type Asked = { readonly place: number; readonly next: number | undefined };

/** 0 where there is no next token. */
const nextFeed = (asked: readonly Asked[]): Tensors => ({
  next: integers(
    asked.map(({ next }) => next ?? 0),
    [asked.length, 1],
  ),
});

function startsOf(spans: readonly Span[]): number[] {
  let offset = 0;
  return spans.map(({ from, to }) => {
    const start = offset - from;
    offset += to - from;
    return start;
  });
}
