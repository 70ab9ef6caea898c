import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { getHFHubCachePath, getRepoFolderName } from '@huggingface/hub';
import { writeWhole } from '../disk/write.ts';
import type { HubName } from './hub-name.ts';

/**
 * A model in the cache that Hugging Face's own tools share (`HF_HUB_CACHE`, or `hub` under `HF_HOME`): contents by digest
 * under `blobs/`, the files of a commit as links to them under `snapshots/COMMIT/`, the commit of a branch in `refs/`.
 */
export class HubCache {
  readonly folder: string;
  readonly lock: string;

  constructor({ id }: HubName, root = getHFHubCachePath()) {
    const name = getRepoFolderName({ type: 'model', name: id });
    this.folder = join(root, name);
    this.lock = join(root, '.locks', name, 'unrut.lock');
  }

  blob(digest: string): string {
    return join(this.folder, 'blobs', digest);
  }

  snapshot(commit: string): string {
    return join(this.folder, 'snapshots', commit);
  }

  /** The folders that files go to. */
  async prepare(commit: string): Promise<void> {
    const folders = [join(this.folder, 'blobs'), this.snapshot(commit), dirname(this.lock)];
    for (const folder of folders) await mkdir(folder, { recursive: true });
  }

  /** Puts a content that is there into a commit under its path. */
  async link(commit: string, path: string, digest: string): Promise<void> {
    const place = join(this.snapshot(commit), path);
    if (existsSync(place)) return;
    await rm(place, { force: true }); // a link whose content is gone
    await symlink(relative(dirname(place), this.blob(digest)), place).catch(() => copyFile(this.blob(digest), place));
  }

  async writeRef(revision: string, commit: string): Promise<void> {
    if (revision === commit) return;
    const path = this.#ref(revision);
    await mkdir(dirname(path), { recursive: true });
    await writeWhole(path, commit);
  }

  /** The commit that a revision stood for when the hub was last asked. */
  async readRef(revision: string): Promise<string | undefined> {
    if (existsSync(this.snapshot(revision))) return revision;
    const text = await readFile(this.#ref(revision), 'utf8').catch(() => undefined);
    return text?.trim();
  }

  #ref(revision: string): string {
    return join(this.folder, 'refs', ...revision.split('/'));
  }
}
