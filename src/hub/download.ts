import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ModelError } from '../errors.ts';
import { type HubClient, type HubFile, HubUnreachable } from './hub-client.ts';

/** Milliseconds before each new attempt in a row that brings no byte. */
const WAITS: readonly number[] = [500, 2000, 8000];

/** Milliseconds without a byte after which a connection is given up. */
const SILENCE = 60_000;

/** One file on its way from the hub. What an earlier attempt left in `PATH.incomplete` is not fetched again. */
export class Download {
  readonly #part: string;

  constructor(
    readonly client: HubClient,
    readonly commit: string,
    readonly file: HubFile,
    /** Where it goes. */
    readonly path: string,
    /** Is called with the number of bytes that are there. */
    readonly progress: (bytes: number) => void,
  ) {
    this.#part = `${path}.incomplete`;
  }

  /** @throws ModelError when the hub stops answering, which can be resumed, or the bytes do not match the digest. */
  async finish(): Promise<void> {
    await (await open(this.#part, 'a')).close();
    let fruitless = 0;
    for (let have = await this.#size(); have < this.file.size; ) {
      await this.#attempt(have, fruitless);
      const now = await this.#size();
      fruitless = now > have ? 0 : fruitless + 1;
      have = now;
    }
    await this.#check();
    await rename(this.#part, this.path);
  }

  async #size(): Promise<number> {
    return (await stat(this.#part)).size;
  }

  async #attempt(have: number, fruitless: number): Promise<void> {
    try {
      await this.#fetch(have);
    } catch (error) {
      if (!(error instanceof HubUnreachable)) throw error;
      const wait = WAITS[fruitless];
      if (wait === undefined) throw new ModelError(`${error.message}; the same command resumes the download`);
      await sleep(wait);
    }
  }

  async #fetch(have: number): Promise<void> {
    const { body, from } = await this.client.content(this.commit, this.file.path, have);
    const target = await open(this.#part, from === 0 ? 'w' : 'a');
    try {
      await this.#write(body, target, from);
    } finally {
      await target.close();
    }
  }

  async #write(body: ReadableStream<Uint8Array>, target: FileHandle, from: number): Promise<void> {
    let bytes = from;
    for await (const piece of pieces(body)) {
      await target.writeFile(piece);
      bytes += piece.length;
      this.progress(bytes);
    }
    if (bytes < this.file.size) throw new HubUnreachable(`${this.file.path}: the connection ended early`);
  }

  /** Removes a damaged file, so that the next attempt starts over. */
  async #check(): Promise<void> {
    const { path, size, digest } = this.file;
    const hash = createHash(digest.length === 64 ? 'sha256' : 'sha1');
    if (digest.length === 40) hash.update(`blob ${size}\0`); // as git does
    for await (const piece of createReadStream(this.#part)) hash.update(piece);
    if (hash.digest('hex') === digest) return;
    await rm(this.#part);
    throw new ModelError(`${path}: the download does not match its digest; try again`);
  }
}

/** What comes, until the connection ends, breaks or falls silent. */
async function* pieces(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const timer = setTimeout(() => void reader.cancel(), SILENCE);
      const { done, value } = await reader.read().finally(() => clearTimeout(timer));
      if (done) return;
      yield value;
    }
  } catch (error) {
    throw new HubUnreachable(`the connection broke off: ${error instanceof Error ? error.message : error}`);
  } finally {
    await reader.cancel().catch(() => {}); // it may have broken
  }
}
