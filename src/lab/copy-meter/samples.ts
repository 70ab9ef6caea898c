import { ChatFormat } from '../../chat/chat-format.ts';
import type { Sampler } from '../../engine/engine.ts';
import { readModelFolder } from '../../engine/local/files/model-folder.ts';
import { LocalPolicy } from '../../engine/local/policy/local-policy.ts';
import { Runtime } from '../../engine/local/runtime/runtime.ts';
import { stream } from '../../random.ts';
import { START } from '../text/byte-transformer.ts';
import type { Document } from '../text/corpus.ts';

type Amount = { readonly samples: number; readonly length: number; readonly context: number };

/** Texts of a byte model from its start token, at T = 1. */
export async function sampleBytes(
  sampler: Sampler,
  { samples, length, context }: Amount,
  seed: number,
): Promise<Document[]> {
  const maxTokens = Math.min(length, context - 1);
  const [drawn = []] = await sampler.sample([[START]], {
    maxTokens,
    temperature: 1,
    seed,
    samples,
    stop: [START],
    logprobs: false,
  });
  return drawn.map(({ tokens }, index) => ({
    name: `sample ${index + 1}`,
    bytes: Uint8Array.from(tokens.filter((token) => token < START)),
  }));
}

/** Characters of a document that a model is asked to continue. */
const BEGINNING = 80;

/** What a model folder writes behind the beginnings of training documents, greedily: the likeliest way to make it copy. */
export async function sampleFolder(
  folder: string,
  train: readonly Document[],
  { samples, length }: Amount,
  seed: number,
): Promise<{ name: string; text: string }[]> {
  const format = await ChatFormat.open(folder);
  const runtime = Runtime.open();
  try {
    const sampler = await new LocalPolicy(runtime, await readModelFolder(folder)).sampler();
    const chosen = stream(seed, 'beginnings').shuffle(train).slice(0, samples);
    const prompts = chosen.map(({ bytes }) => format.encode(new TextDecoder().decode(bytes).slice(0, BEGINNING)));
    const drawn = await sampler.sample(prompts, {
      maxTokens: Math.ceil(length / 3),
      temperature: 0,
      seed,
      samples: 1,
      stop: format.stop,
      logprobs: false,
    });
    return drawn.map(([one], index) => ({ name: chosen[index]?.name ?? '', text: format.decode(one?.tokens ?? []) }));
  } finally {
    await runtime.close();
  }
}
