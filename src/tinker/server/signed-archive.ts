import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pack } from 'tar-stream';

/** @file A checkpoint's adapter as one file, behind an address that needs no key but holds for an hour only. */

const HOLDS_MS = 3_600_000;

/** What PEFT reads. */
const FILES = ['adapter_config.json', 'adapter_model.safetensors'];

/** Signs addresses; those of another process are void. */
export class Signer {
  readonly #key = randomBytes(32);

  /** The query of a signed address, and when it ends. */
  sign(path: string): { readonly query: string; readonly expires: Date } {
    const expires = new Date(Date.now() + HOLDS_MS);
    const until = String(expires.getTime());
    return { query: `path=${encodeURIComponent(path)}&until=${until}&signature=${this.#sum(path, until)}`, expires };
  }

  holds({ path = '', until = '', signature = '' }: Readonly<Record<string, string>>): boolean {
    const [given, wanted] = [Buffer.from(signature), Buffer.from(this.#sum(path, until))];
    return given.length === wanted.length && timingSafeEqual(given, wanted) && Number(until) > Date.now();
  }

  #sum(path: string, until: string): string {
    return createHmac('sha256', this.#key)
      .update(JSON.stringify([path, until]))
      .digest('hex');
  }
}

/** A tar file of the adapter in `folder`. */
export async function archiveOf(folder: string): Promise<Uint8Array> {
  const archive = pack();
  for (const name of FILES) archive.entry({ name, mtime: new Date(0) }, await readFile(join(folder, name)));
  archive.finalize();
  const parts: Uint8Array[] = [];
  for await (const part of archive) parts.push(part as Uint8Array); // it packs nothing else
  return Buffer.concat(parts);
}
