import { randomUUID } from 'node:crypto';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError } from '../errors.ts';
import { writing } from './write.ts';

/**
 * Tries whether files can be written in `folder`, making it for the moment where it is not there: what takes hours is not
 * to find out at its end. Leaves nothing behind.
 * @throws RunError with the reason and the way out.
 */
export async function checkFolder(folder: string): Promise<void> {
  const made = await writing(folder, () => mkdir(folder, { recursive: true }));
  const trial = join(folder, `.unrut-${randomUUID()}`);
  try {
    await writing(folder, () => writeFile(trial, ''));
  } finally {
    await rm(made ?? trial, { recursive: true, force: true });
  }
}

/**
 * Tries whether the file at `path` can be written.
 * @param option what named it, for the message.
 * @throws InputError where its folder is not there or it is a folder itself, RunError where it cannot be written.
 */
export async function checkFile(path: string, option: string): Promise<void> {
  const [folder, file] = await Promise.all([dirname(path), path].map((one) => stat(one).catch(() => undefined)));
  if (!folder?.isDirectory()) throw new InputError(`${option} ${path}: no folder ${dirname(path)}; make it first`);
  if (file?.isDirectory()) throw new InputError(`${option} ${path}: is a folder; name a file in it`);
  await checkFolder(dirname(path));
}
