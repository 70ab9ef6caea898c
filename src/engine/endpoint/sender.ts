import type Anthropic from '@anthropic-ai/sdk';
import type OpenAI from 'openai';
import { z } from 'zod';
import type { Address } from './address.ts';
import type { Clock } from './clock.ts';
import { Failure, isPage, statusFailure, thrownFailure } from './failure.ts';
import type { Secret } from './secret.ts';
import { Transport } from './transport.ts';

/** A JSON body, as it is sent. */
export type Body = Readonly<Record<string, unknown>>;

/** A model that a server says it has. */
export type Listed = { readonly id: string; readonly maxContext: number | undefined };

/** The clients of both protocols send the same way. */
type Client = Pick<OpenAI, 'get' | 'post'> | Pick<Anthropic, 'get' | 'post'>;

/**
 * Sends one request by the protocol's official client and hears the reply out. Retrying, pacing and paying are not its
 * business. Everything that comes back is redacted before anybody else sees it.
 */
export class Sender {
  readonly #client: Client;
  readonly #listPath: string;
  /** Milliseconds from sending to the last byte. */
  readonly #timeout: number;
  readonly #clock: Clock;
  /** The clients want a `Response`; its text is kept beside it, where it need not be streamed. */
  readonly #bodies: WeakMap<Response, string>;

  private constructor(
    client: Client,
    bodies: WeakMap<Response, string>,
    listPath: string,
    timeout: number,
    clock: Clock,
  ) {
    this.#client = client;
    this.#bodies = bodies;
    this.#listPath = listPath;
    this.#timeout = timeout;
    this.#clock = clock;
  }

  static async open(address: Address, secret: Secret, timeout: number, clock: Clock): Promise<Sender> {
    const transport = new Transport();
    const bodies = new WeakMap<Response, string>();
    const common = {
      baseURL: address.baseUrl,
      maxRetries: 0,
      timeout: timeout + 60_000, // ours comes first, and it covers the body too
      logLevel: 'off', // whatever OPENAI_LOG says: a log of requests holds headers
      fetch: async (url: string | URL | Request, init: RequestInit = {}) => {
        const heard = await transport.send(new URL(String(url)), init); // both clients give an address
        const body = secret.redact(heard.body.toString('utf8'));
        if (heard.status < 200 || heard.status > 299)
          throw statusFailure(heard.status, heard.headers, body, Date.now());
        const response = new Response(null, { status: heard.status, headers: heard.headers });
        bodies.set(response, body);
        return response;
      },
    } as const;
    if (address.protocol === 'anthropic') {
      const { default: Client } = await import('@anthropic-ai/sdk');
      const client = new Client({ ...common, apiKey: secret.key ?? 'none', authToken: null });
      return new Sender(client, bodies, '/v1/models', timeout, clock);
    }
    const { default: Client } = await import('openai');
    const strangers = { adminAPIKey: null, organization: null, project: null }; // of the environment: not for any server
    const client = new Client({ ...common, ...strangers, apiKey: secret.key ?? 'none' });
    return new Sender(client, bodies, '/models', timeout, clock);
  }

  /** @throws Failure */
  post(path: string, body: Body): Promise<unknown> {
    return this.#heardOut((signal) => this.#client.post(path, { body, signal }).asResponse());
  }

  /** What the server has; empty where it does not say. @throws Failure where nothing can be asked of it. */
  async models(): Promise<Listed[]> {
    try {
      const json = await this.#heardOut((signal) => this.#client.get(this.#listPath, { signal }).asResponse());
      return listSchema.parse(json).data.map((card) => ({ id: card.id, maxContext: contextOf(card) }));
    } catch (error) {
      if (error instanceof Failure && ['key', 'tls', 'unreachable', 'stalled'].includes(error.kind)) throw error;
      return [];
    }
  }

  async #heardOut(send: (signal: AbortSignal) => PromiseLike<Response>): Promise<unknown> {
    const patience = new AbortController();
    const stop = this.#clock.timer(this.#timeout, () => patience.abort());
    try {
      const response = await send(patience.signal);
      return parseReply(this.#bodies.get(response) ?? '');
    } catch (error) {
      if (!patience.signal.aborted) throw thrownFailure(error);
      throw new Failure('stalled', `no answer within ${this.#timeout / 1000} s`);
    } finally {
      stop();
    }
  }
}

function parseReply(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    if (isPage(text)) throw new Failure('page', 'answers with a web page, not JSON; addresses usually end in /v1');
    throw new Failure('malformed', 'the reply is no JSON');
  }
}

const count = z.number().int().positive().nullish().catch(undefined);

const listSchema = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      max_model_len: count, // vLLM, SGLang
      context_length: count, // OpenRouter, unrut serve
      max_input_tokens: count, // Anthropic, LiteLLM
      meta: z.object({ n_ctx: count, n_ctx_train: count }).nullish(), // llama.cpp
    }),
  ),
});

type Card = Pick<
  z.infer<typeof listSchema>['data'][number],
  'max_model_len' | 'context_length' | 'max_input_tokens' | 'meta'
>;

function contextOf({ max_model_len, context_length, max_input_tokens, meta }: Card): number | undefined {
  return max_model_len ?? context_length ?? max_input_tokens ?? meta?.n_ctx ?? meta?.n_ctx_train ?? undefined;
}
