import { mkdir, rename, rm } from 'node:fs/promises';
import { writing } from './write.ts';

/**
 * Fills a folder beside `folder` and renames it, so that a reader, or a crash, sees the whole folder or none. What stood
 * there before is removed just before the renaming, for a folder cannot be renamed onto another.
 * @throws RunError where the file system refuses; then nothing is left behind.
 */
export async function writeWholeFolder(folder: string, fill: (beside: string) => Promise<void>): Promise<void> {
  const beside = `${folder}.${process.pid}.writing`;
  await writing(folder, async () => {
    try {
      await mkdir(beside, { recursive: true });
      await fill(beside);
      await rm(folder, { recursive: true, force: true });
      await rename(beside, folder);
    } catch (error) {
      await rm(beside, { recursive: true, force: true });
      throw error;
    }
  });
}
