import { existsSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { InputError } from '../errors.ts';
import { type HubName, parseHubName } from '../hub/hub-name.ts';
import { throwIfInterrupted } from '../recipe/observer.ts';
import { type DisplayOptions, openDisplay } from './display/open-display.ts';
import { packageRoot } from './package-root.ts';
import { say } from './print.ts';

/** A model that lies on this machine. */
export type FoundModel = {
  readonly folder: string;
  /** As a record keeps it: what was asked for, of a model of the hub with the hash of its commit. */
  readonly name: string;
};

export type Finding = DisplayOptions & {
  /** The folder that a relative path starts from. */
  readonly base?: string;
  /** False fetches no weights from the hub. */
  readonly weights?: boolean;
  /** Ends a download, which the next one resumes. */
  readonly signal?: AbortSignal;
};

/**
 * The folder of a model, wherever one is named: a folder, a finished run, a model that comes with unrut
 * (`models/organism`), or a model of the Hugging Face hub (`organisation/model@revision`), which is fetched.
 * @throws InputError naming what was looked for; ModelError where the hub does not give it.
 */
export async function findModel(name: string, { base = '.', ...options }: Finding = {}): Promise<FoundModel> {
  const path = base === '.' ? name : resolve(base, name);
  if (path.endsWith('.gguf')) {
    throw new InputError(`${path}: is a GGUF file; make a folder of it first: unrut import ${path} FOLDER`);
  }
  if (existsSync(join(path, 'run.yaml'))) return { folder: modelOfRun(path), name };
  if (existsSync(path)) return { folder: path, name };
  const shipped = join(packageRoot, name);
  if (/^models\/[\w-]+$/.test(name) && existsSync(shipped)) return { folder: shipped, name };
  const onHub = parseHubName(name);
  if (onHub !== undefined && !existsSync(resolve(base, name.split('/')[0] ?? ''))) return fetched(onHub, options);
  throw new InputError(`${path}: no such model folder; ${onHub === undefined ? HUB_FORM : folderFirst(name)}`);
}

const HUB_FORM = 'a model of the Hugging Face hub is named ORGANISATION/MODEL';

const folderFirst = (name: string): string =>
  `the hub is not asked for ${name}, because ${name.split('/')[0]}${sep} is a folder here`;

function modelOfRun(run: string): string {
  const folder = join(run, 'model');
  if (existsSync(folder)) return folder;
  throw new InputError(`${folder}: no such model folder; the run has not finished`);
}

async function fetched(name: HubName, { signal, weights, ...options }: Finding): Promise<FoundModel> {
  const { fetchModel } = await import('../hub/fetch-model.ts');
  const display = openDisplay(options);
  try {
    const progress = (share: number): void => {
      if (signal !== undefined) throwIfInterrupted(signal);
      display.doing(`fetches ${name.id}`, share);
    };
    const { notice, ...found } = await fetchModel(name, progress, weights);
    if (notice !== undefined) say(`unrut: ${notice}`);
    return found;
  } finally {
    display.close();
  }
}
