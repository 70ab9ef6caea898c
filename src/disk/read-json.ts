import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ModelError } from '../errors.ts';

/** Reads a JSON object of a model folder. @throws ModelError where there is none. */
export async function readJson(path: string): Promise<Record<string, unknown>> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new ModelError(`${path}: cannot be read (${error.code}); a model folder needs it`);
  });
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  } catch {
    throw new ModelError(`${path}: is not a JSON object; copy the file again`);
  }
}
