import type { Datum, SoftTargets, TokenIds } from '../../engine.ts';
import { chunksOf, isChunked } from '../compiler/head.ts';
import type { Model } from '../model/model.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { rotaryTables } from '../model/rope.ts';
import { layRows, type Rows, rowFeeds } from '../model/rows.ts';
import { floats, integers, type Tensors } from '../runtime/host-tensor.ts';

/** Rows of a micro-batch: few enough that the activations stay near the core, enough that a run's fixed cost is small. */
const ROWS = 1024;

/** The same for models whose activations are large; more would not be faster. */
const FEW_ROWS = 256;

/** The same where all weights of such a model are trained: each micro-batch brings a gradient of the model's size. */
const SOME_ROWS = 512;

/** Numbers that all layers keep of a row, from which on a model counts as one of those. */
const LARGE = 2 ** 17;

/** By the model alone. */
export function rowsOfMicroBatch({ weights, adapter }: Model): number {
  const { layers, hiddenSize, intermediateSize } = weights.config;
  if (layers * (8 * hiddenSize + 4 * intermediateSize) < LARGE) return ROWS;
  return adapter === undefined ? SOME_ROWS : FEW_ROWS;
}

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
export function cutIntoMicroBatches(batch: readonly Datum[], rows: number): MicroBatch[] {
  const kinds = new Map<string, { k: number; learns: boolean; group: number[] }>();
  batch.forEach((datum, index) => {
    const kind = { k: width(datum), learns: learns(datum), group: [] };
    const key = `${kind.k} ${kind.learns}`;
    if (!kinds.has(key)) kinds.set(key, kind);
    kinds.get(key)!.group.push(index);
  });
  return [...kinds.values()].flatMap(({ group, ...kind }) =>
    cutEvenly(inOrder(batch, group), rows).map((indices) => ({ indices, ...kind })),
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
function cutEvenly(places: readonly Place[], rows: number): number[][] {
  const total = places.reduce((sum, { added }) => sum + added, 0);
  const count = total <= rows / 4 ? 1 : 2 * Math.ceil(total / (2 * rows));
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

/** What goes into the graph, and where in the micro-batch (all tokens end to end) each logprob that comes out belongs. */
export type MicroBatchFeeds = {
  readonly feeds: Tensors;
  readonly asked: readonly number[];
  readonly scored: readonly number[];
};

/** The inputs of the training graph beside parameters and loss options. */
export function microBatchFeeds(
  batch: readonly Datum[],
  { indices, k }: MicroBatch,
  config: ModelConfig,
): MicroBatchFeeds {
  const data = indices.map((index) => batch[index]!);
  const rows = layRows(
    data.map(({ input }) => input),
    config.vocabSize,
  );
  const tokens = new TokenStreams(data, k, rows);
  const every = [...tokens.weight.keys()];
  const apart = isChunked(config) && tokens.weight.some((weight) => weight !== 0);
  const asked = apart ? every.filter((at) => tokens.weight[at] !== 0) : every;
  const scored = apart ? every.filter((at) => tokens.weight[at] === 0) : [];
  const feeds = {
    ...rowFeeds(rows, config.heads),
    ...rotaryTables(config, rows.time),
    tokens: integers(rows.tokens),
    ...tokens.askedFeeds(padded(asked, config)),
    ...(isChunked(config) && { ...tokens.scoredFeeds(padded(scored, config)) }),
  };
  return { feeds, asked, scored };
}

/** Places of tokens in equal chunks; what fills the last one up is -1. */
type Places = { readonly places: readonly number[]; readonly chunks: number };

function padded(places: readonly number[], config: ModelConfig): Places {
  const { count, rows } = chunksOf(places.length, config);
  return { places: [...places, ...Array<number>(rows - places.length).fill(-1)], chunks: count };
}

/** Per-token streams of data, end to end. */
class TokenStreams {
  readonly weight: Float32Array;
  readonly #sampled: Float32Array;
  readonly #rows: readonly number[];
  readonly #targets: Int32Array;
  readonly #probabilities: Float32Array;
  readonly #k: number;

  constructor(data: readonly Datum[], k: number, { place, time }: Rows) {
    const stream = (pick: (datum: Datum) => readonly number[] | undefined, absent: number) =>
      Float32Array.from(data.flatMap((datum) => pick(datum) ?? datum.input.map(() => absent)));
    this.weight = stream(tokenWeights, 1);
    this.#sampled = stream(({ logprobs }) => logprobs, 0);
    this.#rows = data.flatMap(({ input }, nth) => input.map((_, at) => place[nth * time + at]!));
    this.#k = k;
    this.#targets = new Int32Array(this.#rows.length * k);
    this.#probabilities = new Float32Array(this.#rows.length * k).fill(1);
    let offset = 0;
    for (const { input, targets } of data) {
      this.#targets.set(isSoft(targets) ? targets.tokens : targets, offset);
      if (isSoft(targets)) this.#probabilities.set(targets.probabilities, offset);
      offset += input.length * k;
    }
  }

  /** Filling rows have weight 0. */
  askedFeeds({ places, chunks }: Places): Tensors {
    const pick = (from: Float32Array) => floats(Float32Array.from(places, (at) => (at < 0 ? 0 : from[at]!)));
    return { ...this.#feeds('asked', { places, chunks }), weight: pick(this.weight), sampled: pick(this.#sampled) };
  }

  scoredFeeds(places: Places): Tensors {
    return this.#feeds('scored', places);
  }

  #feeds(prefix: string, { places, chunks }: Places): Tensors {
    const k = this.#k;
    const pick = (from: ArrayLike<number>) =>
      places.flatMap((at) => Array.from({ length: k }, (_, nth) => (at < 0 ? 0 : from[at * k + nth]!)));
    return {
      [prefix]: integers(places.map((at) => (at < 0 ? 0 : this.#rows[at]!))),
      [`${prefix}Chunks`]: integers([chunks]),
      [`${prefix}Targets`]: integers(pick(this.#targets), [places.length, k]),
      [`${prefix}Probabilities`]: floats(Float32Array.from(pick(this.#probabilities)), [places.length, k]),
    };
  }
}
