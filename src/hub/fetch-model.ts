import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson } from '../disk/read-json.ts';
import { writing } from '../disk/write.ts';
import { ModelError } from '../errors.ts';
import { Lock } from '../record/lock.ts';
import { Download } from './download.ts';
import { HubCache } from './hub-cache.ts';
import { HubClient, type HubFile, HubUnreachable } from './hub-client.ts';
import { fullName, type HubName } from './hub-name.ts';

/** A model of the hub that lies on this machine. */
export type FetchedModel = {
  readonly folder: string;
  /** With the hash of its commit. */
  readonly name: string;
  /** What a user should know: that the hub was not asked. */
  readonly notice?: string;
};

const WEIGHTS = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

/** What a model is read from, beside its weights. */
const NEEDED = [
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
  'chat_template.json',
  'adapter_config.json',
  'adapter_model.safetensors',
  'unrut.json',
];

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * Fetches what a model needs into the shared cache; what is there already is not fetched again. Where the hub cannot be
 * reached, or `HF_HUB_OFFLINE` is set, a whole model in the cache will do.
 * @param progress is called with the share of the weights that is there, in [0, 1].
 * @param weights false leaves them out, for whoever wants the tokenizer and the template.
 * @throws ModelError naming the model, and what to do.
 */
export async function fetchModel(
  name: HubName,
  progress: (share: number) => void,
  weights = true,
): Promise<FetchedModel> {
  const cache = new HubCache(name);
  const client = new HubClient(name);
  const listed = await list(name, client);
  if (listed instanceof HubUnreachable) return fromCache(name, cache, listed, weights);
  const { commit, files } = listed;
  await writing(cache.folder, () => cache.prepare(commit));
  const lock = await Lock.take(cache.lock);
  try {
    const fill = new Filling(cache, client, commit);
    await fill.all(files.filter(({ path }) => NEEDED.includes(path) || path === INDEX));
    if (weights) await fill.all(await weightFiles(name, files, cache.snapshot(commit)), progress);
    await writing(cache.folder, () => cache.writeRef(name.revision, commit));
    return { folder: cache.snapshot(commit), name: fullName(name, commit) };
  } finally {
    lock.release();
  }
}

type Listing = { readonly commit: string; readonly files: readonly HubFile[] };

async function list({ id }: HubName, client: HubClient): Promise<Listing | HubUnreachable> {
  if (/^(1|true|yes|on)$/i.test(process.env.HF_HUB_OFFLINE ?? '')) {
    return new HubUnreachable(`${id}: HF_HUB_OFFLINE is set`);
  }
  try {
    const commit = await client.commit();
    return { commit, files: await client.files(commit) };
  } catch (error) {
    if (error instanceof HubUnreachable) return error;
    throw error;
  }
}

/** Fills the snapshot of a commit. */
class Filling {
  constructor(
    readonly cache: HubCache,
    readonly client: HubClient,
    readonly commit: string,
  ) {}

  async all(files: readonly HubFile[], progress: (share: number) => void = () => {}): Promise<void> {
    const total = files.reduce((sum, { size }) => sum + size, 0);
    let before = 0;
    for (const file of files) {
      const earlier = before;
      await this.#one(file, (bytes) => progress((earlier + bytes) / total));
      before += file.size;
    }
  }

  async #one(file: HubFile, progress: (bytes: number) => void): Promise<void> {
    const blob = this.cache.blob(file.digest);
    await writing(blob, async () => {
      if (!existsSync(blob)) await new Download(this.client, this.commit, file, blob, progress).finish();
      await this.cache.link(this.commit, file.path, file.digest);
    });
  }
}

/** One file, or the parts that the index names. */
async function weightFiles({ id }: HubName, files: readonly HubFile[], snapshot: string): Promise<HubFile[]> {
  const paths = files.map(({ path }) => path);
  if (!paths.includes('config.json'))
    throw new ModelError(`${id}: has no config.json; it is not a model for transformers`);
  const wanted = paths.includes(WEIGHTS) ? [WEIGHTS] : await parts(snapshot);
  if (wanted === undefined) throw new ModelError(`${id}: has no ${WEIGHTS}${instead(paths)}`);
  return wanted.map((path) => {
    const file = files.find((one) => one.path === path);
    if (file !== undefined) return file;
    throw new ModelError(`${id}: ${INDEX} names ${path}, which is not there`);
  });
}

/** What a repository without safetensors has, and what can be done with it. */
function instead(paths: readonly string[]): string {
  const gguf = paths.find((path) => path.endsWith('.gguf'));
  if (gguf !== undefined) return `; download ${gguf} and make a folder of it: unrut import ${gguf} FOLDER`;
  const torch = paths.find((path) => path.endsWith('.bin') || path.endsWith('.pth'));
  return torch === undefined ? '' : `; weights in ${torch} are not read, take a repository that has safetensors`;
}

/** The files that `model.safetensors.index.json` of a snapshot names; undefined where there is none. */
async function parts(snapshot: string): Promise<string[] | undefined> {
  const path = join(snapshot, INDEX);
  if (!existsSync(path)) return undefined;
  const parsed = indexSchema.safeParse(await readJson(path));
  if (!parsed.success) throw new ModelError(`${path}: weight_map must give a file for each tensor`);
  return [...new Set(Object.values(parsed.data.weight_map))];
}

async function fromCache(name: HubName, cache: HubCache, why: HubUnreachable, weights: boolean): Promise<FetchedModel> {
  const commit = await cache.readRef(name.revision);
  if (commit !== undefined && (await isWhole(cache.snapshot(commit), weights))) {
    const notice = `${why.message}; takes the copy in the cache (${commit.slice(0, 12)})`;
    return { folder: cache.snapshot(commit), name: fullName(name, commit), notice };
  }
  throw new ModelError(`${why.message}, and ${cache.folder} holds no whole copy; connect, or name a folder`);
}

async function isWhole(snapshot: string, weights: boolean): Promise<boolean> {
  const one = !weights || existsSync(join(snapshot, WEIGHTS));
  const files = one ? [] : ((await parts(snapshot)) ?? [WEIGHTS]);
  return ['config.json', 'tokenizer.json', ...files].every((path) => existsSync(join(snapshot, path)));
}
