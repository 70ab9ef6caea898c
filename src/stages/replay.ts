import { z } from 'zod';
import { scaled, type WeightedDatum } from '../chat/lesson.ts';
import type { Datum } from '../engine/engine.ts';
import type { Stream } from '../random.ts';
import { encodeDocument } from '../texts/base-text.ts';
import { drawReplay } from '../texts/replay-text.ts';
import { openReplies, REPLY_TOKENS } from './ordinary-replies.ts';
import type { Sizes } from './sizes.ts';
import type { Need, StageContext } from './stage.ts';

/**
 * Replay keeps the model what it was where nothing has to change: KL(reference || model) on text of the kind that the
 * model's folder declares it grew up on, or else on what the frozen reference replies to ordinary prompts.
 */
export const replayOptions = z.strictObject({
  /** Documents per step. */
  documents: z.int().nonnegative().max(100_000).default(16),
  /** Factor of the mean KL per token. */
  weight: z.number().nonnegative().max(1000).default(5),
  /** A text file with a prompt a line, in the place of declared text and of the ordinary prompts. */
  prompts: z.string().min(1).optional(),
});

export type ReplayOptions = z.output<typeof replayOptions>;

/** Alternatives per position that the reference hands over; the mass beyond them is negligible. */
const ALTERNATIVES = 24;

export function replayNeeds({ documents }: ReplayOptions): Need[] {
  if (documents === 0) return [];
  const instead = 'the documents themselves are replayed, by cross entropy, in the place of KL';
  return [{ abilities: ['soft_targets', 'top_logprobs'], what: 'replay', instead }];
}

/** Trained tokens a step. */
export const replayCost = ({ documents, prompts }: ReplayOptions, sizes: Pick<Sizes, 'replay'>): number =>
  documents * (prompts === undefined ? sizes.replay : REPLY_TOKENS);

/** A step's data, whose cross entropies add up to weight * mean cross entropy (KL plus a constant) against the reference. */
export type Replay = (draws: Stream, step: number) => Promise<Datum[]>;

export async function openReplay(context: StageContext, options: ReplayOptions): Promise<Replay> {
  if (options.documents === 0) return async () => [];
  const drawDocuments = await openDocuments(context, options);
  return async (draws, step) => {
    const documents = await drawDocuments(draws, step);
    const data = scaled(documents, options.weight);
    const targets = await replayTargets(context, data);
    return data.map((datum, index) => ({ ...datum, targets: targets[index]! })); // one a datum
  };
}

type Documents = (draws: Stream, step: number) => Promise<WeightedDatum[]>;

async function openDocuments(context: StageContext, options: ReplayOptions): Promise<Documents> {
  const { baseText, format } = context;
  if (baseText === undefined || options.prompts !== undefined) return openReplies(context, options);
  return async (draws) =>
    Array.from({ length: options.documents }, () => {
      const { tokens, by } = encodeDocument(drawReplay(baseText, draws), format.encode);
      const weights = by.map((speaker) => Number(speaker !== 'template'));
      return { input: tokens.slice(0, -1), targets: tokens.slice(1), weights: weights.slice(1) };
    });
}

async function replayTargets(context: StageContext, data: readonly WeightedDatum[]): Promise<Datum['targets'][]> {
  if (!context.can('soft_targets') || !context.can('top_logprobs')) return data.map(({ targets }) => targets);
  const texts = data.map(({ input, targets }) => [...input, targets.at(-1)!]); // a text is longer than a token
  const from = data.map(({ weights }) => Math.max(0, weights.findIndex((weight) => weight !== 0)));
  const teacher = await context.reference.topLogprobs(texts, ALTERNATIVES, from);
  return data.map(({ input }, index) => softTargets(teacher[index]!, input.length)); // one a text
} // biome-ignore format: one line a statement

/** The teacher's alternatives at the first `length` positions. */
export function softTargets(
  { tokens, logprobs, k }: { tokens: Int32Array; logprobs: Float32Array; k: number },
  length: number,
): { tokens: Int32Array; probabilities: Float32Array; k: number } {
  return { tokens: tokens.slice(0, length * k), probabilities: logprobs.slice(0, length * k).map(Math.exp), k };
}
