import { z } from 'zod';
import type { Datum, Sampler, TokenIds } from '../engine/engine.ts';
import { documentShares, drawAuthorsDocument, drawDocument, type TextRecipe } from '../problems/organism-text.ts';
import type { Stream } from '../random.ts';

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

/** Data whose cross entropies add up to weight * mean cross entropy (KL plus a constant) against the reference. */
export async function replayData(
  reference: Sampler,
  text: TextRecipe,
  encode: (text: string) => TokenIds,
  draws: Stream,
  options: ReplayOptions,
): Promise<Datum[]> {
  const documents = Array.from({ length: options.documents }, () => drawReplay(draws, text));
  const tokens = documents.map((document) => encode(document));
  const teacher = await reference.topLogprobs(tokens, ALTERNATIVES);
  const weights = documents.map(replayWeights);
  const total = weights.flat().reduce((sum, weight) => sum + weight, 0);
  return tokens.map((ids, index) => ({
    input: ids.slice(0, -1),
    targets: softTargets(teacher[index]!, ids.length - 1),
    weights: weights[index]!.slice(1).map((weight) => (options.weight * weight) / total),
  }));
}

function drawReplay(draws: Stream, text: TextRecipe): string {
  if (!draws.chance(ASSISTANT_SHARE)) return drawAuthorsDocument(draws, text);
  return drawDocument(draws, { ...text, assistant: 1, documents: SHORT_TASKS });
}

const SHORT_TASKS = documentShares.parse({ fewShot: 2, repeat: 3 });

/** Role markers are the template's, not the model's. */
function replayWeights(document: string): number[] {
  return [...document].map((character) => ('UAS'.includes(character) ? 0 : 1));
}

/** The teacher's alternatives at the first `length` positions. */
export function softTargets(
  { tokens, logprobs, k }: { tokens: Int32Array; logprobs: Float32Array; k: number },
  length: number,
): { tokens: Int32Array; probabilities: Float32Array; k: number } {
  return { tokens: tokens.slice(0, length * k), probabilities: logprobs.slice(0, length * k).map(Math.exp), k };
}
