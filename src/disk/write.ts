import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { RunError } from '../errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the device; free some and go on with --resume',
  EDQUOT: 'the disk quota is used up; free some space and go on with --resume',
  EFBIG: 'the file is larger than this system allows; raise the limit and go on with --resume',
  EACCES: 'permission denied; choose another folder with --out or change its permissions',
  EPERM: 'not permitted; choose another folder with --out',
  EROFS: 'the file system is read-only; choose another folder with --out',
  EIO: 'the device reports an input/output error; copy the run folder to another disk and go on with --resume',
  EMFILE: 'too many open files; raise `ulimit -n` and go on with --resume',
  ENOTDIR: 'a file stands where a folder is needed; choose another folder with --out',
};

/** Runs a write to `path`; a failure of the file system becomes a one-line {@link RunError} that says what to do. */
export async function writing<T>(path: string, write: () => T | Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    throw explained(path, error);
  }
}

/** What a failure of the file system means and what to do; undefined for any other error. */
export function fileSystemReason(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return Object.hasOwn(REASONS, code) ? REASONS[code] : undefined;
}

function explained(path: string, error: unknown): unknown {
  const reason = fileSystemReason(error);
  return reason ? new RunError(`cannot write ${path}: ${reason}`, { cause: error }) : error;
}

/** Writes a whole file so that a reader, or a crash, sees the old content or the new and never a part. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const beside = `${path}.${process.pid}.writing`;
  await writing(path, async () => {
    try {
      await writeDurably(beside, content);
      await rename(beside, path);
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    }
    await syncFolder(dirname(path));
  });
}

async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a rename inside `folder` outlive a power failure, where the system lets a folder be synced. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
