import { type Stream, stream } from '../../random.ts';
import type { SamplingParams, TokenIds } from '../engine.ts';
import { BLOCK } from './generation-graph.ts';
import type { LlamaConfig } from './llama-config.ts';
import type { HostTensor, Tensors } from './runtime.ts';
import { floats, integers, textFeeds } from './text-feeds.ts';

/** Rows of a batch: enough that weights are read once for many tokens, few enough that its cache stays near the core. */
const ROWS = 96;

/** Prompt tokens of a batch, padding included, and attention scores of one head: they bound the memory. */
const PROMPT_TOKENS = 8192;
const PROMPT_SCORES = 2 ** 21;

/** Prompts of like length times samples `from` to `to`; every prompt of a batch has the same samples. */
export type GenerationBatch = { readonly prompts: readonly number[]; readonly from: number; readonly to: number };

/** Cuts by the data alone, never by how many workers there are, so that results do not depend on it. */
export function cutIntoGenerationBatches(prompts: readonly TokenIds[], samples: number): GenerationBatch[] {
  const parts = Math.ceil(samples / ROWS);
  const bounds = Array.from({ length: parts + 1 }, (_, part) => Math.round((part * samples) / parts));
  const groups = groupByLength(prompts, Math.max(1, Math.floor(ROWS / Math.ceil(samples / parts))));
  return groups.flatMap((group) => bounds.slice(1).map((to, part) => ({ prompts: group, from: bounds[part]!, to })));
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

/** Inputs of the generation graph beside the parameters. */
export function generationFeeds(
  prompts: readonly TokenIds[],
  { prompts: indices, from, to }: GenerationBatch,
  how: SamplingParams,
  config: LlamaConfig,
): Tensors {
  const { keyValueHeads, headSize, heads, vocabSize } = config;
  const group = heads / keyValueHeads;
  const texts = indices.map((index) => prompts[index]!);
  const time = Math.max(...texts.map((text) => text.length));
  const samples = to - from;
  const blocks = Math.ceil((how.maxTokens - 1) / BLOCK);
  const eachRow = texts.flatMap((text, nth) => Array.from({ length: samples }, () => ({ text, nth })));
  return {
    ...textFeeds(texts, config, Math.max(time + 1 + blocks * BLOCK, samples)),
    promptMask: paddingMask(texts, time),
    ...uniformFeeds(indices, from, to, how, blocks),
    lastOfPrompt: integers(eachRow.map(({ text, nth }) => nth * time + text.length - 1)),
    position: integers(
      eachRow.map(({ text }) => text.length),
      [texts.length, samples],
    ),
    rowSplit: integers([texts.length, samples, heads + 2 * keyValueHeads, headSize]),
    perRow: integers([0, keyValueHeads, group, samples, 1, -1]),
    perPrompt: integers([0, keyValueHeads, group * samples, -1]),
    emptyCache: floats(new Float32Array(0), [texts.length, keyValueHeads, 1, samples, 0, headSize]),
    blockCount: integers([blocks], []),
    stop: integers([-1, ...how.stop]), // never empty: a maximum over nothing has no value
    inverseTemperature: floats(Float32Array.of(how.temperature === 0 ? 1 : 1 / how.temperature), []),
    topK: integers([Math.min(how.topK ?? vocabSize, vocabSize)]),
    topP: floats(Float32Array.of(how.topP ?? 1), []),
  };
}

/** `[prompts, 1, 1, time]`: hides the padding from what is generated. */
function paddingMask(texts: readonly TokenIds[], time: number): HostTensor {
  const mask = new Float32Array(texts.length * time);
  texts.forEach((text, nth) => {
    mask.fill(-1e9, nth * time + text.length, (nth + 1) * time);
  });
  return floats(mask, [texts.length, 1, 1, time]);
}

/** `[rows, 1]` for the first token and `[blocks, BLOCK, rows, 1]` for the others. */
function uniformFeeds(
  indices: readonly number[],
  from: number,
  to: number,
  { seed }: SamplingParams,
  blocks: number,
): Tensors {
  const rows = indices.length * (to - from);
  const first = new Float32Array(rows);
  const others = new Float32Array(blocks * BLOCK * rows);
  let row = 0;
  for (const prompt of indices) {
    for (let sample = from; sample < to; sample++, row++) {
      const draws = stream(seed, 'sample', prompt, sample);
      first[row] = drawUniform(draws);
      for (let at = row; at < others.length; at += rows) others[at] = drawUniform(draws);
    }
  }
  return {
    firstUniform: floats(first, [rows, 1]),
    uniforms: floats(others, [blocks, BLOCK, rows, 1]),
  };
}

const STEPS = 2 ** 23;

/** A multiple of 2^-23: times a single-precision mass it stays below the mass, whatever the rounding. */
export function drawUniform(draws: Stream): number {
  return draws.integer(STEPS) / STEPS;
}
