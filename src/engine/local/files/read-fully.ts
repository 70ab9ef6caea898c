import type { FileHandle } from 'node:fs/promises';

/** Fills `target` from byte `position` of a file. @returns false where the file ends before. */
export async function readFully(file: FileHandle, target: Uint8Array, position: number): Promise<boolean> {
  let done = 0;
  while (done < target.length) {
    const { bytesRead } = await file.read(target, done, target.length - done, position + done);
    if (bytesRead === 0) return false;
    done += bytesRead;
  }
  return true;
}
