import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A path in a folder of its own, which goes when the tests of the file are over. */
export function temporaryFile(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'unrut-endpoint-'));
  folders.push(folder);
  return join(folder, name);
}
