import OpenAI from 'openai';
import { ChatFormat } from '../../src/chat/chat-format.ts';
import { LocalChatModel } from '../../src/chat/local-chat-model.ts';
import type { Sampler } from '../../src/engine/engine.ts';
import { freshModel } from '../../src/engine/local/files/model-folder.ts';
import { Runtime } from '../../src/engine/local/runtime/runtime.ts';
import { LocalSampler } from '../../src/engine/local/sampling/local-sampler.ts';
import { type AppOptions, serveApp } from '../../src/serve/app.ts';
import { listen } from '../../src/serve/http-server.ts';
import { ServedModel } from '../../src/serve/served-model.ts';

/** What the server answered with 500 for. */
export const faults: unknown[] = [];

const options: AppOptions = {
  apiKey: undefined,
  address: { host: '127.0.0.1' },
  onFault: (error) => faults.push(error),
};

/** The organism's shape with random weights, and its tokenizer. */
export async function tinyModel() {
  const format = await ChatFormat.open('models/organism');
  const weights = await freshModel('models/organism', 7);
  const runtime = Runtime.open(2);
  const sampler = new CountingSampler(new LocalSampler(runtime, weights));
  const chat = new LocalChatModel('organism', sampler, format);
  return { format, sampler, chat, app: serveApp(served(sampler, format), options), close: () => runtime.close() };
}

export function served(sampler: Sampler, format: ChatFormat): ServedModel {
  return new ServedModel({ id: 'organism', sampler, format, maxPositions: 256, vocabSize: 64, calls: 1 });
}

export function appOf(sampler: Sampler, format: ChatFormat, more: Partial<AppOptions> = {}) {
  return serveApp(served(sampler, format), { ...options, ...more });
}

/** On any free port, with the official client. */
export async function online(app: ReturnType<typeof serveApp>, port = 0) {
  const server = await listen(app.fetch, { host: '127.0.0.1', port });
  return { ...server, client: new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 }) };
}

/** Keeps how many prompts each call had. */
class CountingSampler implements Sampler {
  readonly calls: number[] = [];
  readonly #inner: Sampler;

  constructor(inner: Sampler) {
    this.#inner = inner;
  }

  sample: Sampler['sample'] = (prompts, how) => {
    this.calls.push(prompts.length);
    return this.#inner.sample(prompts, how);
  };
  logprobs: Sampler['logprobs'] = (sequences) => this.#inner.logprobs(sequences);
  topLogprobs: Sampler['topLogprobs'] = (sequences, k) => this.#inner.topLogprobs(sequences, k);
}
