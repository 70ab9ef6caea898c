import type { Datum, SoftTargets, TokenIds } from '../../engine.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { rotaryTables } from '../model/rope.ts';
import { layRows, rowFeeds } from '../model/rows.ts';
import { floats, integers, type Tensors } from '../runtime/host-tensor.ts';

/** Rows of a micro-batch: few enough that the activations stay near the core, enough that a run's fixed cost is small. */
const ROWS = 1024;

/** Sequences are kept together if they share this many tokens, and this part of the shorter one, at their beginning. */
const SHARED_TOKENS = 8;
const SHARED_PART = 1 / 4;

/** Data that go through the graph together, by their places in the batch. */
export type MicroBatch = {
  readonly indices: readonly number[];
  /** Soft targets per token; 1 for hard ones. */
  readonly k: number;
  /** Whether any token has a weight. */
  readonly learns: boolean;
};

/**
 * Cuts a batch into micro-batches of about equal work: what begins alike together, what is of like length together,
 * and apart what teaches nothing. The cut depends on the data alone, never on how many workers there are, so that sums
 * are added up in one order on every machine.
 */
export function cutIntoMicroBatches(batch: readonly Datum[]): MicroBatch[] {
  const kinds = new Map<string, { k: number; learns: boolean; group: number[] }>();
  batch.forEach((datum, index) => {
    const kind = { k: width(datum), learns: learns(datum), group: [] };
    const key = `${kind.k} ${kind.learns}`;
    if (!kinds.has(key)) kinds.set(key, kind);
    kinds.get(key)!.group.push(index);
  });
  return [...kinds.values()].flatMap(({ group, ...kind }) =>
    cutEvenly(inOrder(batch, group)).map((indices) => ({ indices, ...kind })),
  );
}

/** `added` counts the rows that a sequence brings beside those of the one before it. */
type Place = { readonly index: number; readonly length: number; readonly added: number };

/** Clusters of sequences that begin alike, those with the longest sequence first. */
function inOrder(batch: readonly Datum[], group: readonly number[]): Place[] {
  const tokens = (index: number) => batch[index]!.input;
  const sorted = group.toSorted((a, b) => compare(tokens(a), tokens(b)) || a - b);
  const clusters: Place[][] = [];
  sorted.forEach((index, nth) => {
    const length = tokens(index).length;
    const shared = nth === 0 ? 0 : sharedLength(tokens(sorted[nth - 1]!), tokens(index));
    if (shared >= Math.max(SHARED_TOKENS, SHARED_PART * length)) {
      clusters.at(-1)!.push({ index, length, added: length - shared });
    } else clusters.push([{ index, length, added: length }]);
  });
  const longest = (cluster: readonly Place[]) => Math.max(...cluster.map(({ length }) => length));
  return clusters.sort((a, b) => longest(b) - longest(a) || a[0]!.index - b[0]!.index).flat();
}

/** An even number of parts keeps two workers busy to the end. */
function cutEvenly(places: readonly Place[]): number[][] {
  const total = places.reduce((sum, { added }) => sum + added, 0);
  const count = total <= ROWS / 4 ? 1 : 2 * Math.ceil(total / (2 * ROWS));
  const parts: number[][] = Array.from({ length: count }, () => []);
  let before = 0;
  for (const { index, added } of places) {
    const part = Math.floor((count * (before + added / 2)) / total);
    parts[Math.min(part, count - 1)]!.push(index); // a sequence that is there twice adds nothing, so the last may lie at the end
    before += added;
  }
  return parts.filter((part) => part.length > 0);
}

function compare(a: TokenIds, b: TokenIds): number {
  const shared = sharedLength(a, b);
  return (a[shared] ?? -1) - (b[shared] ?? -1);
}

function sharedLength(a: TokenIds, b: TokenIds): number {
  const limit = Math.min(a.length, b.length);
  let at = 0;
  while (at < limit && a[at] === b[at]) at++;
  return at;
}

const isSoft = (targets: TokenIds | SoftTargets): targets is SoftTargets => 'k' in targets;

const width = ({ targets }: Datum): number => (isSoft(targets) ? targets.k : 1);

const tokenWeights = ({ advantages, weights }: Datum): readonly number[] | undefined => advantages ?? weights;

const learns = (datum: Datum): boolean => tokenWeights(datum)?.some((weight) => weight !== 0) ?? true;

/** The inputs of the training graph beside parameters and loss options; every token of every datum is asked, in order. */
export function microBatchFeeds(batch: readonly Datum[], { indices, k }: MicroBatch, config: ModelConfig): Tensors {
  const data = indices.map((index) => batch[index]!);
  const rows = layRows(
    data.map(({ input }) => input),
    config.vocabSize,
  );
  const { time, place } = rows;
  const asked = data.flatMap(({ input }, nth) => input.map((_, at) => place[nth * time + at]!));
  const stream = (pick: (datum: Datum) => readonly number[] | undefined, absent: number) =>
    floats(Float32Array.from(data.flatMap((datum) => pick(datum) ?? datum.input.map(() => absent))));
  return {
    ...rowFeeds(rows, config.heads),
    ...rotaryTables(config, time),
    ...targetFeeds(data, asked.length, k),
    tokens: integers(rows.tokens),
    asked: integers(asked),
    weight: stream(tokenWeights, 1),
    sampled: stream(({ logprobs }) => logprobs, 0),
  };
}

function targetFeeds(data: readonly Datum[], asked: number, k: number): Tensors {
  const tokens = new Int32Array(asked * k);
  const probabilities = new Float32Array(asked * k).fill(1);
  let offset = 0;
  for (const { input, targets } of data) {
    tokens.set(isSoft(targets) ? targets.tokens : targets, offset);
    if (isSoft(targets)) probabilities.set(targets.probabilities, offset);
    offset += input.length * k;
  }
  return { targets: integers(tokens, [asked, k]), probabilities: floats(probabilities, [asked, k]) };
}
