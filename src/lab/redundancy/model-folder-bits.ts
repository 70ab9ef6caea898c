import { ChatFormat } from '../../chat/chat-format.ts';
import { readModelFolder } from '../../engine/local/files/model-folder.ts';
import { LocalPolicy } from '../../engine/local/policy/local-policy.ts';
import { Runtime } from '../../engine/local/runtime/runtime.ts';
import type { Outcome } from '../../stats/outcome.ts';
import type { Document } from '../text/corpus.ts';

/** Tokens of a window; the first of each document is not predicted, and its bytes are not counted. */
const WINDOW = 512;

/** Bits a byte of documents under a model folder with any tokenizer: nats of its tokens over the bytes that they write. */
export async function folderBits(folder: string, documents: readonly Document[]): Promise<Outcome[]> {
  const format = await ChatFormat.open(folder);
  const runtime = Runtime.open();
  try {
    const sampler = await new LocalPolicy(runtime, await readModelFolder(folder)).sampler();
    const outcomes: Outcome[] = [];
    for (const { name, bytes } of documents) {
      const tokens = format.encode(new TextDecoder().decode(bytes));
      const windows = Array.from({ length: Math.ceil(tokens.length / WINDOW) }, (_, at) =>
        tokens.slice(at * WINDOW, (at + 1) * WINDOW),
      );
      const logprobs = await sampler.logprobs(windows);
      const nats = logprobs.reduce((sum, own) => sum - own.subarray(1).reduce((a, b) => a + b, 0), 0);
      const read = windows.reduce((sum, own) => sum + Buffer.byteLength(format.decode(own.slice(1))), 0);
      outcomes.push({ problem: name, numerator: nats / Math.LN2, denominator: read });
    }
    return outcomes;
  } finally {
    await runtime.close();
  }
}
