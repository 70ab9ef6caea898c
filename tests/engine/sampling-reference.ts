import type { Sampler, SamplingParams, TokenIds } from '../../src/engine/engine.ts';
import { Weights } from '../../src/engine/local/model/weights.ts';
import { stream } from '../../src/random.ts';
import { goldenWeights, readGolden } from './golden.ts';

/** @file Sampling written down a second time, token by token in double precision, from full forward passes. */

/** The golden weights, whose distributions are far from flat, with room for longer texts. */
export function roomyWeights(name: string): Weights {
  const { config, flat } = goldenWeights(readGolden(name));
  return new Weights({ ...config, maxPositions: 48 }, flat);
}

/** Next-token logprobs `[time][vocabulary]` of a whole sequence, indexed by token id. */
export async function allLogprobs(sampler: Sampler, sequence: TokenIds, vocabSize: number): Promise<number[][]> {
  const [top] = await sampler.topLogprobs([sequence], vocabSize);
  const { tokens, logprobs } = top!;
  return sequence.map((_, at) => {
    const row: number[] = [];
    for (let place = at * vocabSize; place < (at + 1) * vocabSize; place++) row[tokens[place]!] = logprobs[place]!;
    return row;
  });
}

/** The row's uniform numbers, in order. */
export function uniforms(seed: number, prompt: number, sample: number, count: number): number[] {
  const draws = stream(seed, 'sample', prompt, sample);
  return Array.from({ length: count }, () => draws.integer(2 ** 23) / 2 ** 23);
}

type Filters = Pick<SamplingParams, 'temperature' | 'topK' | 'topP'>;

/** Tokens that may be drawn, in drawing order, with their shares (sum 1): by id, or by rank where a filter is set. */
export function distribution(logprobs: readonly number[], { temperature, topK, topP }: Filters): [number, number][] {
  const tempered = logprobs.map((logprob, token): [number, number] => [token, Math.exp(logprob / temperature)]);
  if (topK === undefined && topP === undefined) return normalised(tempered);
  const ranked = normalised(tempered.toSorted((a, b) => b[1] - a[1]).slice(0, topK));
  let before = 0;
  const nucleus = ranked.filter(([, share]) => {
    const kept = before < (topP ?? 1);
    before += share;
    return kept;
  });
  return normalised(nucleus);
}

function normalised(shares: [number, number][]): [number, number][] {
  const total = shares.reduce((sum, [, share]) => sum + share, 0);
  return shares.map(([token, share]) => [token, share / total]);
}

/** The token whose part of [0, 1) holds the uniform number, and how far that number is from the part's borders. */
export function drawn(shares: readonly [number, number][], uniform: number): { token: number; margin: number } {
  let low = 0;
  for (const [token, share] of shares) {
    if (uniform < low + share) return { token, margin: Math.min(uniform - low, low + share - uniform) };
    low += share;
  }
  return { token: shares.at(-1)![0], margin: 0 };
}
