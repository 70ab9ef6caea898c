import type { ChatFormat } from '../chat/chat-format.ts';
import type { Sampler } from '../engine/engine.ts';
import { stream } from '../random.ts';
import { type BaseText, drawAuthorsDocument, encodeDocument } from '../texts/base-text.ts';

/**
 * Logprobs in nats of the tokens of `count` documents of the base model's own kind, `[document][token]`, role markers
 * left out. The documents come from streams of their own, so none of them was drawn for training.
 */
export async function baseTextLogprobs(
  sampler: Sampler,
  format: Pick<ChatFormat, 'encode'>,
  text: BaseText,
  count: number,
  seed: number,
): Promise<number[][]> {
  const documents = Array.from({ length: count }, (_, index) => {
    return encodeDocument(drawAuthorsDocument(stream(seed, 'held-out base text', index), text), format.encode);
  });
  const logprobs = await sampler.logprobs(documents.map(({ tokens }) => tokens));
  return documents.map(({ by }, index) => [...logprobs[index]!].filter((_, at) => by[at] !== 'template'));
}
