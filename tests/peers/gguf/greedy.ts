import { ChatFormat } from '../../../src/chat/chat-format.ts';
import type { TokenIds } from '../../../src/engine/engine.ts';
import { readModelFolder } from '../../../src/engine/local/files/model-folder.ts';
import { Runtime } from '../../../src/engine/local/runtime/runtime.ts';
import { LocalSampler } from '../../../src/engine/local/sampling/local-sampler.ts';

/** The likeliest tokens behind a prompt by the embedded engine, the end among them. */
export async function greedy(folder: string, prompt: TokenIds, maxTokens: number): Promise<TokenIds> {
  const [{ stop }, weights] = await Promise.all([ChatFormat.open(folder), readModelFolder(folder)]);
  const runtime = Runtime.open();
  try {
    const how = { maxTokens, temperature: 0, stop, samples: 1, seed: 1 };
    const [sequences] = await new LocalSampler(runtime, weights).sample([prompt], how);
    return sequences![0]!.tokens; // one prompt, one sample
  } finally {
    await runtime.close();
  }
}
