import { listFiles, modelInfo } from '@huggingface/hub';
import { ModelError } from '../errors.ts';
import type { HubName } from './hub-name.ts';

/** @file Requests to the Hugging Face hub, or to a mirror of it, and what their refusals mean for a user. */

/** The hub cannot be asked at all: what is in the cache may still do. */
export class HubUnreachable extends ModelError {
  override name = 'HubUnreachable';
}

/** A file of a repository. */
export type HubFile = {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** What the cache names the content by: SHA-256 of a large file, git's SHA-1 of a small one. */
  readonly digest: string;
};

export type Content = { readonly body: ReadableStream<Uint8Array>; readonly from: number };

/** Milliseconds that the beginning of an answer may take. */
const PATIENCE = 30_000;

const DIGEST = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

/** Asks for one model. The token goes to the hub's own origin only, and into no message. */
export class HubClient {
  readonly #name: HubName;
  readonly #hub: URL;
  readonly #token: string | undefined;

  /** @throws ModelError where `HF_ENDPOINT` (a mirror) or `HF_TOKEN` (an access token) is not what it has to be. */
  constructor(name: HubName) {
    const { HF_ENDPOINT, HF_TOKEN } = process.env;
    this.#name = name;
    this.#hub = endpointOf(HF_ENDPOINT || 'https://huggingface.co');
    this.#token = HF_TOKEN?.trim() || undefined;
    if (this.#token !== undefined && !/^hf_[\x21-\x7e]+$/.test(this.#token)) {
      throw new ModelError('HF_TOKEN: is not an access token of the hub, which begins with hf_; set it again');
    }
  }

  /** The hash of the commit that the revision stands for. */
  async commit(): Promise<string> {
    const { id, revision } = this.#name;
    const { sha } = await this.#asked(() =>
      modelInfo({ ...this.#access, name: id, revision, additionalFields: ['sha'] }),
    );
    if (/^[0-9a-f]{40}$/.test(sha)) return sha;
    throw new ModelError(`${id}: the hub at ${this.#hub.host} names no commit for ${revision}`);
  }

  /** The files of a commit, those in folders left out. */
  async files(commit: string): Promise<HubFile[]> {
    const { id } = this.#name;
    const entries = await this.#asked(() =>
      collected(listFiles({ ...this.#access, repo: { type: 'model', name: id }, revision: commit })),
    );
    const files = entries.filter(({ type, path }) => type === 'file' && !/[\\/]/.test(path));
    return files.map(({ path, size, oid, lfs }) => {
      const digest = lfs?.oid ?? oid ?? '';
      if (DIGEST.test(digest)) return { path, size: lfs?.size ?? size, digest };
      throw new ModelError(`${id}: the hub at ${this.#hub.host} gives no digest of ${path}`);
    });
  }

  /** The bytes of a file from `from` on, or from 0 where the server knows no ranges. */
  async content(commit: string, path: string, from: number): Promise<Content> {
    const url = new URL(`${this.#name.id}/resolve/${commit}/${encodeURIComponent(path)}`, this.#hub);
    const headers = { ...this.#authorization, ...(from > 0 && { range: `bytes=${from}-` }) };
    const { status, body } = await this.#fetch(url, { headers });
    if (body !== null) return { body, from: status === 206 ? from : 0 };
    throw new HubUnreachable(`${this.#name.id}: the hub at ${this.#hub.host} answers ${status} for ${path}`);
  }

  get #access() {
    const hubUrl = this.#hub.href.replace(/\/$/, '');
    return { hubUrl, fetch: this.#fetch, ...(this.#token !== undefined && { accessToken: this.#token }) };
  }

  get #authorization(): Record<string, string> {
    return this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` };
  }

  /** The library's own complaints (an answer that is no JSON) in our words. */
  async #asked<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof ModelError) throw error;
      throw new ModelError(`${this.#name.id}: the hub at ${this.#hub.host} gives an answer that cannot be read`);
    }
  }

  readonly #fetch: typeof fetch = async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const headers = new Headers(init.headers);
    if (url.origin !== this.#hub.origin) headers.delete('authorization');
    const response = await this.#send(url, { ...init, headers });
    if (response.ok) return response;
    await response.body?.cancel();
    throw this.#refusal(response);
  };

  async #send(url: URL, init: RequestInit): Promise<Response> {
    const begun = new AbortController();
    const timer = setTimeout(() => begun.abort(new Error(`no answer within ${PATIENCE / 1000} s`)), PATIENCE);
    try {
      return await fetch(url, { ...init, signal: begun.signal });
    } catch (error) {
      throw new HubUnreachable(`${this.#name.id}: cannot reach ${url.host}: ${reasonOf(error)}`);
    } finally {
      clearTimeout(timer);
    }
  }

  #refusal({ status, headers }: Response): ModelError {
    const { id, revision } = this.#name;
    const page = new URL(id, this.#hub).href;
    const code = headers.get('x-error-code') ?? '';
    if (status >= 500 || status === 429)
      return new HubUnreachable(`${id}: ${this.#hub.host} answers ${status}; try later`);
    if (code === 'RevisionNotFound')
      return new ModelError(`${id}: has no revision "${revision}"; see ${page}/tree/main`);
    if (code === 'GatedRepo' || status === 403) {
      return new ModelError(`${id}: is gated: ask for access at ${page}, then ${this.#tokenAdvice}`);
    }
    if (status === 401 || status === 404) {
      return new ModelError(
        `${id}: ${this.#hub.host} has no such model, or it is private; check the name, or ${this.#tokenAdvice}`,
      );
    }
    return new ModelError(`${id}: ${this.#hub.host} refuses with status ${status}`);
  }

  get #tokenAdvice(): string {
    if (this.#token === undefined) return 'put an access token into HF_TOKEN';
    return 'put a token of an account with access into HF_TOKEN; the one that is there has none';
  }
}

function endpointOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return new URL(url.href.replace(/\/*$/, '/'));
  throw new ModelError('HF_ENDPOINT: is not an address that begins with https://; set it again or leave it out');
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}

async function collected<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
