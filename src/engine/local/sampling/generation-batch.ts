import { type Stream, stream } from '../../../random.ts';
import type { SamplingParams, TokenIds } from '../../engine.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { hasWindow } from '../model/window.ts';
import { floats, type HostTensor, integers, type Tensors } from '../runtime/host-tensor.ts';
import { type Layout, ROUND } from './cache-keeper.ts';
import { textFeeds } from './text-feeds.ts';

/** Up to this many rows stay together: of fewer, each costs more. */
const FEW_ROWS = 48;

/** Rows of a batch: weights are read once for all of them, and their caches stay near the core. */
const ROWS = 64;

/** Prompt tokens of a batch, padding included, and attention scores of one head: they bound the memory. */
const PROMPT_TOKENS = 8192;
const PROMPT_SCORES = 2 ** 21;

/** Prompts of like length times samples `from` to `to`; every prompt of a batch has the same samples. */
export type GenerationBatch = { readonly prompts: readonly number[]; readonly from: number; readonly to: number };

/**
 * Cuts by the data alone, never by how many workers there are, so that results do not depend on it; evenly and mostly
 * into an even number, so that two or four workers end together.
 */
export function cutIntoGenerationBatches(prompts: readonly TokenIds[], samples: number): GenerationBatch[] {
  const rows = prompts.length * samples;
  return cutInto(rows <= FEW_ROWS ? 1 : 2 * Math.ceil(rows / (2 * ROWS)), prompts, samples);
}

/** The same for generations that have all cores, one after the other. */
export function cutIntoWideBatches(prompts: readonly TokenIds[], samples: number): GenerationBatch[] {
  return cutInto(Math.ceil((prompts.length * samples) / ROWS), prompts, samples);
}

function cutInto(parts: number, prompts: readonly TokenIds[], samples: number): GenerationBatch[] {
  const sampleParts = Math.ceil(parts / Math.max(1, prompts.length));
  const most = Math.ceil(prompts.length / Math.ceil(parts / sampleParts));
  const bounds = Array.from({ length: sampleParts + 1 }, (_, part) => Math.round((part * samples) / sampleParts));
  return groupByLength(prompts, most).flatMap((group) =>
    bounds.slice(1).map((to, part) => ({ prompts: group, from: bounds[part]!, to })),
  );
}

/** Longest first: what takes longest should not be begun last. */
function groupByLength(prompts: readonly TokenIds[], most: number): number[][] {
  const order = [...prompts.keys()].sort((a, b) => prompts[b]!.length - prompts[a]!.length || a - b);
  const groups: number[][] = [];
  for (const index of order) {
    const open = groups.at(-1);
    const time = prompts[open?.[0] ?? index]!.length;
    const limit = Math.min(most, Math.floor(PROMPT_TOKENS / time), Math.floor(PROMPT_SCORES / time ** 2));
    if (open !== undefined && open.length < limit) open.push(index);
    else groups.push([index]);
  }
  return groups;
}

/** Tokens in the caches of all rows up to which copying them is cheaper than the nodes that avoid it. */
const COPIED_TOKENS = 400;

/** The fastest layout, by the data alone. @param tokens of the longest prompt and its continuation. */
export function layoutOf({ prompts, from, to }: GenerationBatch, tokens: number): Layout {
  const samples = to - from;
  if (prompts.length * samples * tokens <= COPIED_TOKENS) return 'grown';
  return samples === 1 ? 'blocks' : 'shared';
}

/** Inputs of the generation graph beside the parameters. */
export function generationFeeds(
  prompts: readonly TokenIds[],
  batch: GenerationBatch,
  how: SamplingParams,
  config: ModelConfig,
  layout: Layout,
): Tensors {
  const texts = batch.prompts.map((index) => prompts[index]!);
  const samples = batch.to - batch.from;
  const time = Math.max(...texts.map((text) => text.length));
  const rounds = Math.ceil((how.maxTokens - 1) / ROUND[layout]);
  const tokens = time + rounds * ROUND[layout];
  const ends = texts.flatMap((text) => Array.from({ length: samples }, () => text.length));
  return {
    ...textFeeds(texts, config, tokens + 1),
    ...uniformFeeds(batch, how, rounds, ROUND[layout]),
    ...(layout === 'shared' ? sharedFeeds(texts, samples, time, config) : { rowMask: paddingMask(ends, time, tokens) }),
    ...(hasWindow(config) ? { columns: columnPositions(ends, layout === 'shared' ? 0 : time, tokens) } : {}),
    ...(layout === 'grown' ? {} : liveFeeds(texts.length, samples, ROUND[layout])),
    ...choiceFeeds(how, config),
    lastOfPrompt: integers(texts.map((text, nth) => nth * time + text.length - 1)),
    promptOfRow: integers(ends.map((_, row) => Math.floor(row / samples))),
    position: integers(ends, [ends.length, 1]),
    roundCount: integers([rounds], []),
    stop: integers([-1, ...how.stop]), // never empty: a maximum over nothing has no value
  };
}

/** At first all rows go on, and none has written anything. */
function liveFeeds(prompts: number, samples: number, steps: number): Tensors {
  const rows = prompts * samples;
  return {
    rowIds: integers([...Array(rows).keys()], [prompts, samples]),
    blankTokens: { type: 'int64', data: new BigInt64Array(rows * steps), shape: [rows, steps] },
    blankLogprobs: floats(new Float32Array(rows * steps), [rows, steps]),
  };
}

export function choiceFeeds({ temperature, topK, topP }: SamplingParams, { vocabSize }: ModelConfig): Tensors {
  return {
    inverseTemperature: floats(Float32Array.of(temperature === 0 ? 1 : 1 / temperature), []),
    topK: integers([Math.min(topK ?? vocabSize, vocabSize)]),
    topP: floats(Float32Array.of(topP ?? 1), []),
  };
}

function sharedFeeds(texts: readonly TokenIds[], samples: number, time: number, config: ModelConfig): Tensors {
  const { keyValueHeads, headSize } = config;
  const lengths = texts.map((text) => text.length);
  return {
    promptMask: paddingMask(lengths, time, time),
    samples: integers([samples]),
    emptyCache: integers([texts.length * samples, keyValueHeads, 0, headSize]),
  };
}

/** `[rows, 1, 1, tokens]`: hides the places from each row's end to `time`. */
function paddingMask(ends: readonly number[], time: number, tokens: number): HostTensor {
  const mask = new Float32Array(ends.length * tokens);
  ends.forEach((end, row) => {
    mask.fill(-1e9, row * tokens + end, row * tokens + time);
  });
  return floats(mask, [ends.length, 1, 1, tokens]);
}

/** `[rows, 1, 1, tokens]`: positions of a row's cache, which begins with `time` columns of its prompt. */
function columnPositions(ends: readonly number[], time: number, tokens: number): HostTensor {
  const positions = ends.flatMap((end) =>
    Array.from({ length: tokens }, (_, column) => (column < time ? column : end + column - time)),
  );
  return floats(Float32Array.from(positions), [ends.length, 1, 1, tokens]);
}

/** `[rows, 1]` for the first token and `[rounds, steps, rows, 1]` for the others. */
function uniformFeeds(batch: GenerationBatch, how: SamplingParams, rounds: number, steps: number): Tensors {
  const rows = batch.prompts.length * (batch.to - batch.from);
  const first = new Float32Array(rows);
  const others = new Float32Array(Math.max(1, rounds) * steps * rows); // the executor refuses empty inputs
  drawStreams(batch, how).forEach((draws, row) => {
    first[row] = drawUniform(draws);
    for (let at = row; at < others.length; at += rows) others[at] = drawUniform(draws);
  });
  return {
    firstUniform: floats(first, [rows, 1]),
    uniforms: floats(others, [Math.max(1, rounds), steps, rows, 1]),
  };
}

/** By row, what its draws come from. */
export function drawStreams({ prompts, from, to }: GenerationBatch, how: SamplingParams): Stream[] {
  const { seed, seeds, place: before = 0 } = how;
  return prompts.flatMap((prompt) => {
    const [own, place] = seeds === undefined ? [seed, before + prompt] : [seeds[prompt]!, 0]; // one is there for each
    return Array.from({ length: to - from }, (_, nth) => stream(own, 'sample', place, from + nth));
  });
}

const STEPS = 2 ** 23;

/** A multiple of 2^-23: times a single-precision mass it stays below the mass, whatever the rounding. */
export function drawUniform(draws: Stream): number {
  return draws.integer(STEPS) / STEPS;
}
