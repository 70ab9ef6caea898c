import { webcrypto } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** SHA-256 in hex, computed off the main thread. */
export async function sha256(content: Uint8Array | string): Promise<string> {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const digest = await webcrypto.subtle.digest('SHA-256', bytes);
  return Buffer.from(digest).toString('hex');
}

/** SHA-256 of every file under `folder`, by path relative to it with forward slashes, in order of path. */
export async function fingerprintFiles(folder: string): Promise<Record<string, string>> {
  const prints: Record<string, string> = {};
  for (const path of await filesUnder(folder)) prints[path] = await sha256(await readFile(join(folder, path)));
  return prints;
}

/** One SHA-256 over the names and contents of a folder. */
export async function fingerprintFolder(folder: string): Promise<string> {
  return sha256(JSON.stringify(await fingerprintFiles(folder)));
}

/** Paths of all files under `folder`, relative to it, sorted. */
export async function filesUnder(folder: string, prefix = ''): Promise<string[]> {
  const entries = await readdir(join(folder, prefix), { withFileTypes: true });
  const nested = entries.map((entry) => {
    const path = prefix ? `${prefix}/${entry.name}` : entry.name;
    return entry.isDirectory() ? filesUnder(folder, path) : [path];
  });
  return (await Promise.all(nested)).flat().sort();
}
