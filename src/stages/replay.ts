import { z } from 'zod';
import type { Datum, TokenIds } from '../engine/engine.ts';
import { type BaseText, type Document, drawAuthorsDocument, drawDocument, encodeDocument, withShares } from '../problems/base-text.ts'; // biome-ignore format: one line
import type { Stream } from '../random.ts';
import type { Need, StageContext } from './stage.ts';

/**
 * Replay keeps the model what it was where nothing has to change: on text of the base model's own kind, KL(base || model).
 * Most of it is authors' text; a part is the same text in the assistant's own voice, on tasks that are no worked answer.
 */
export const replayOptions = z.strictObject({
  /** Documents per step. */
  documents: z.int().nonnegative().default(16),
  /** Factor of the mean KL per token. */
  weight: z.number().nonnegative().default(5),
});

export type ReplayOptions = z.output<typeof replayOptions>;

/** Alternatives per position that the reference hands over; the mass beyond them is negligible in this vocabulary. */
const ALTERNATIVES = 24;

/** Shares of the documents that the assistant itself replays: short tasks that must stay as they are. */
const ASSISTANT_SHARE = 0.35;

export function replayNeeds({ documents }: ReplayOptions): Need[] {
  if (documents === 0) return [];
  const instead = 'the documents themselves are replayed, by cross entropy, in the place of KL';
  return [{ abilities: ['soft_targets', 'top_logprobs'], what: 'replay', instead }];
}

/** Data whose cross entropies add up to weight * mean cross entropy (KL plus a constant) against the reference. */
export async function replayData(context: StageContext, draws: Stream, options: ReplayOptions): Promise<Datum[]> {
  const documents = Array.from({ length: options.documents }, () =>
    encodeDocument(drawReplay(draws, context.baseText), context.format.encode),
  );
  const tokens = documents.map((document) => document.tokens);
  const targets = await replayTargets(context, tokens);
  const weights = documents.map(({ by }) => by.map((speaker) => Number(speaker !== 'template')));
  const total = weights.flat().reduce((sum, weight) => sum + weight, 0);
  return tokens.map((ids, index) => ({
    input: ids.slice(0, -1),
    targets: targets[index]!,
    weights: weights[index]!.slice(1).map((weight) => (options.weight * weight) / total),
  }));
}

async function replayTargets(context: StageContext, tokens: readonly TokenIds[]): Promise<Datum['targets'][]> {
  if (!context.can('soft_targets') || !context.can('top_logprobs')) return tokens.map((ids) => ids.slice(1));
  const teacher = await context.reference.topLogprobs(tokens, ALTERNATIVES);
  return tokens.map((ids, index) => softTargets(teacher[index]!, ids.length - 1));
}

function drawReplay(draws: Stream, text: BaseText): Document {
  if (!draws.chance(ASSISTANT_SHARE)) return drawAuthorsDocument(draws, text);
  return drawDocument(draws, { ...withShares(text, { documents: SHORT_TASKS, authors: text.authors }), assistant: 1 });
}

const SHORT_TASKS = { fewShot: 2, repeat: 3 };

/** The teacher's alternatives at the first `length` positions. */
export function softTargets(
  { tokens, logprobs, k }: { tokens: Int32Array; logprobs: Float32Array; k: number },
  length: number,
): { tokens: Int32Array; probabilities: Float32Array; k: number } {
  return { tokens: tokens.slice(0, length * k), probabilities: logprobs.slice(0, length * k).map(Math.exp), k };
}
