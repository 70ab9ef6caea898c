import { readModelFolder } from '../../engine/local/files/model-folder.ts';
import { LocalPolicy } from '../../engine/local/policy/local-policy.ts';
import { Runtime } from '../../engine/local/runtime/runtime.ts';
import { stream } from '../../random.ts';
import { mean } from '../../stats/mean.ts';

/** Mean nats a token of the first and of the second saying. */
export type Induction = { readonly first: number; readonly second: number };

const TEXTS = 16;
const TOKENS = 48;

/** How much less a text of random tokens costs when it is said again (Olsson et al. 2022): what an induction head is worth. */
export async function inductionOf(folder: string, seed: number): Promise<Induction> {
  const runtime = Runtime.open();
  try {
    const weights = await readModelFolder(folder);
    const draws = stream(seed, 'random tokens');
    const texts = Array.from({ length: TEXTS }, () => {
      const once = Array.from({ length: TOKENS }, () => draws.integer(weights.config.vocabSize));
      return [...once, ...once];
    });
    const found = await (await new LocalPolicy(runtime, weights).sampler()).logprobs(texts);
    const cost = (from: number, to: number) => -mean(found.flatMap((own) => [...own.subarray(from, to)]));
    return { first: cost(1, TOKENS), second: cost(TOKENS, 2 * TOKENS) };
  } finally {
    await runtime.close();
  }
}
