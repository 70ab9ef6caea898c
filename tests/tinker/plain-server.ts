import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ChatFormat } from '../../src/chat/chat-format.ts';
import { initialWeights } from '../../src/engine/local/model/weights.ts';
import { Runtime } from '../../src/engine/local/runtime/runtime.ts';
import { type AppOptions, serveApp } from '../../src/serve/app.ts';
import { tinkerMount } from '../../src/tinker/server/mount.ts';
import { type ServiceOptions, TinkerService } from '../../src/tinker/server/tinker-service.ts';
import {
  decodeForwardBackwardOutput,
  encodeForwardBackwardRequest,
  type WireDatum,
} from '../../src/tinker/wire/forward-backward.ts';
import { decodeSampleResponse } from '../../src/tinker/wire/sample-response.ts';
import { tinyModel } from '../engine/tiny-model.ts';

/** A model of no size, with the organism's tokenizer. */
const weights = initialWeights(tinyModel({ vocab_size: 64, max_position_embeddings: 64 }), 7, 0.3);

export type Answer = { readonly status: number; readonly body: Record<string, unknown> };

/** The server without a socket, asked as any program could ask it. */
export class PlainServer {
  readonly faults: unknown[];
  /** A folder in a folder of its own. */
  readonly data: string;
  readonly service: TinkerService;
  readonly app: ReturnType<typeof serveApp>;
  readonly #runtime: Runtime;

  private constructor(parts: Pick<PlainServer, 'faults' | 'data' | 'service' | 'app'>, runtime: Runtime) {
    ({ faults: this.faults, data: this.data, service: this.service, app: this.app } = parts);
    this.#runtime = runtime;
  }

  static async open(options: Partial<ServiceOptions & AppOptions & { data: string }> = {}): Promise<PlainServer> {
    const data = options.data ?? join(mkdtempSync(join(tmpdir(), 'unrut-plain-')), 'data');
    const faults: unknown[] = [];
    const onFault = (error: unknown) => void faults.push(error);
    const runtime = Runtime.open(2);
    const format = await ChatFormat.open('models/organism');
    const service = await TinkerService.open(
      { name: 'tiny', folder: 'models/tiny', weights, format, runtime },
      { folder: data, onFault, say: () => {}, pollMs: 20_000, ...options },
    );
    const { apiKey, address = { host: '127.0.0.1' } } = options;
    const access = { apiKey, address, onFault };
    const app = serveApp(service.base.served, { ...access, tinker: tinkerMount(service, access) });
    return new PlainServer({ faults, data, service, app }, runtime);
  }

  async stop(): Promise<void> {
    await this.service.close();
    await this.#runtime.close();
  }

  /** Also removes what was saved. */
  async close(): Promise<void> {
    await this.stop();
    rmSync(dirname(this.data), { recursive: true });
  }

  async ask(path: string, body?: object, method = body === undefined ? 'GET' : 'POST'): Promise<Answer> {
    const headers = { 'content-type': 'application/json' };
    const answer = await this.app.request(`/api/v1/${path}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? {} : JSON.parse(text) };
  }

  async forwardBackward(
    modelId: string,
    seqId: number,
    data: readonly WireDatum[],
    more: object = {},
  ): Promise<Answer> {
    const request = { modelId, seqId, data, lossFn: 'cross_entropy', lossConfig: {}, forwardOnly: false, ...more };
    const answer = await this.app.request('/api/v1/forward_backward', {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: Buffer.from(encodeForwardBackwardRequest(request)),
    });
    return { status: answer.status, body: await answer.json() };
  }

  optimStep(model_id: string, seq_id: number, learning_rate = 0.01): Promise<Answer> {
    return this.ask('optim_step', { model_id, seq_id, adam_params: { learning_rate } });
  }

  /** What became of a request, in whatever form. */
  async result(submitted: Answer | Promise<Answer>): Promise<Record<string, unknown>> {
    const { request_id } = (await submitted).body;
    const headers = { 'content-type': 'application/json' };
    const answer = await this.app.request('/api/v1/retrieve_future', {
      method: 'POST',
      headers,
      body: JSON.stringify({ request_id }),
    });
    if (answer.headers.get('content-type') !== 'application/x-protobuf') return answer.json();
    const bytes = new Uint8Array(await answer.arrayBuffer());
    try {
      return decodeForwardBackwardOutput(bytes);
    } catch {
      return decodeSampleResponse(bytes);
    }
  }

  async session(): Promise<string> {
    return String((await this.ask('create_session', { tags: [] })).body.session_id);
  }

  /** A fresh model of a session. */
  async model(session: string, model_seq_id = 0): Promise<string> {
    const lora_config = { rank: 2, seed: 5 };
    const created = this.ask('create_model', { session_id: session, model_seq_id, base_model: 'tiny', lora_config });
    return String((await this.result(created)).model_id);
  }

  async logprobs(modelId: string, seqId: number): Promise<number[]> {
    const forward = this.forwardBackward(modelId, seqId, [TEXT], { forwardOnly: true });
    const { outputs } = (await this.result(forward)) as ReturnType<typeof decodeForwardBackwardOutput>;
    return Array.from(outputs[0]!.logprobs!.values);
  }
}

/** Asks for the next token everywhere. */
export function textOf(tokens: readonly number[], weight = 1): WireDatum {
  const [input, targets] = [tokens.slice(0, -1), tokens.slice(1)];
  const shape = [input.length];
  return {
    input: [{ kind: 'text', tokens: input }],
    lossInputs: {
      target_tokens: { dtype: 'int64', shape, values: targets },
      weights: { dtype: 'float32', shape, values: input.map(() => weight) },
    },
  };
}

export const TEXT = textOf([5, 6, 7, 8, 9, 10]);
