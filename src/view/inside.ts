import { realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { InputError } from '../errors.ts';

/**
 * The file that a page asks for. Links are followed before it is looked where they lead.
 * @throws InputError where it is not there, or lies outside the folder that is shown.
 */
export async function inside(root: string, path: string): Promise<string> {
  const refusal = new InputError(`${path}: no such file in the folder that is shown; go back to the list of runs`);
  if (path.includes('\0') || isAbsolute(path)) throw refusal;
  const [home, file] = await Promise.all([realpath(root), realpath(join(root, path)).catch(() => undefined)]);
  if (file === undefined) throw refusal;
  const way = relative(home, file);
  if (way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way)) throw refusal;
  return file;
}
