import type Anthropic from '@anthropic-ai/sdk';
import type OpenAI from 'openai';
import { z } from 'zod';
import type { Clock } from '../http/clock.ts';
import { excerpt, Failure, isPage, thrownFailure } from '../http/failure.ts';
import { patientFetch } from '../http/patient-fetch.ts';
import type { Secret } from '../http/secret.ts';
import type { Address } from './address.ts';

/** A JSON body, as it is sent. */
export type Body = Readonly<Record<string, unknown>>;

/** A model that a server says it has. */
export type Listed = {
  readonly id: string;
  readonly maxContext: number | undefined;
  /** The problems that the model speaks, as `unrut serve` says. */
  readonly problemFamily: z.infer<typeof problemFamily>;
};

/** The clients of both protocols send the same way. */
type Client = Pick<OpenAI, 'get' | 'post'> | Pick<Anthropic, 'get' | 'post'>;

/**
 * Sends one request by the protocol's official client and hears the reply out. Retrying, pacing and paying are not its
 * business.
 */
export class Sender {
  readonly #client: Client;
  readonly #listPath: string;
  readonly #bodyOf: (response: Response) => string;

  private constructor(client: Client, bodyOf: (response: Response) => string, listPath: string) {
    this.#client = client;
    this.#bodyOf = bodyOf;
    this.#listPath = listPath;
  }

  /** @param timeout milliseconds from sending to the last byte. */
  static async open(address: Address, secret: Secret, timeout: number, clock: Clock): Promise<Sender> {
    const { fetch, bodyOf } = patientFetch(secret, timeout, clock);
    const common = {
      baseURL: address.baseUrl,
      maxRetries: 0,
      logLevel: 'off', // whatever OPENAI_LOG says: a log of requests holds headers
      fetch,
    } as const;
    if (address.protocol === 'anthropic') {
      const { default: Client } = await import('@anthropic-ai/sdk');
      const client = new Client({ ...common, apiKey: secret.key ?? 'none', authToken: null });
      return new Sender(client, bodyOf, '/v1/models');
    }
    const { default: Client } = await import('openai');
    const strangers = { adminAPIKey: null, organization: null, project: null }; // of the environment: not for any server
    const client = new Client({ ...common, ...strangers, apiKey: secret.key ?? 'none' });
    return new Sender(client, bodyOf, '/models');
  }

  /** @throws Failure */
  async post(path: string, body: Body): Promise<unknown> {
    return this.#heardOut(this.#client.post(path, { body }).asResponse());
  }

  /** What the server has; empty where it does not say. @throws Failure where nothing can be asked of it. */
  async models(): Promise<Listed[]> {
    try {
      const json = await this.#heardOut(this.#client.get(this.#listPath).asResponse());
      return listSchema
        .parse(json)
        .data.map((card) => ({ id: card.id, maxContext: contextOf(card), problemFamily: card.problem_family }));
    } catch (error) {
      if (error instanceof Failure && ['key', 'tls', 'unreachable', 'stalled'].includes(error.kind)) throw error;
      return [];
    }
  }

  async #heardOut(sent: Promise<Response>): Promise<unknown> {
    try {
      return parseReply(this.#bodyOf(await sent));
    } catch (error) {
      throw thrownFailure(error);
    }
  }
}

function parseReply(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    if (isPage(text)) throw new Failure('page', 'answers with a web page, not JSON; addresses usually end in /v1');
    throw new Failure('malformed', `the reply is no JSON${excerpt(text)}`);
  }
}

const count = z.number().int().positive().nullish().catch(undefined);

const problemFamily = z
  .object({ name: z.string(), dials: z.record(z.string(), z.unknown()) })
  .optional()
  .catch(undefined);

const listSchema = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      max_model_len: count, // vLLM, SGLang
      context_length: count, // OpenRouter, unrut serve
      max_input_tokens: count, // Anthropic, LiteLLM
      problem_family: problemFamily,
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
