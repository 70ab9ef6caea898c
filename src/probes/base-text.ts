import type { ChatFormat } from '../chat/chat-format.ts';
import type { Sampler } from '../engine/engine.ts';
import { drawAuthorsDocument, type TextRecipe } from '../problems/organism-text.ts';
import { stream } from '../random.ts';

/** Role markers are the template's, not the model's. */
const ROLE_MARKERS = 'UAS';

/**
 * Logprobs in nats of the tokens of `count` documents of the base model's own kind, `[document][token]`, role markers
 * left out. The documents come from streams of their own, so none of them was drawn for training.
 */
export async function baseTextLogprobs(
  sampler: Sampler,
  format: Pick<ChatFormat, 'encode'>,
  text: TextRecipe,
  count: number,
  seed: number,
): Promise<number[][]> {
  const markers = new Set(format.encode(ROLE_MARKERS));
  const documents = Array.from({ length: count }, (_, index) => {
    return format.encode(drawAuthorsDocument(stream(seed, 'held-out base text', index), text));
  });
  const logprobs = await sampler.logprobs(documents);
  return documents.map((tokens, index) => [...logprobs[index]!].filter((_, at) => !markers.has(tokens[at]!)));
}
