import { basename, resolve } from 'node:path';
import { ChatFormat } from '../chat/chat-format.ts';
import { readModelFolder } from '../engine/local/files/model-folder.ts';
import type { Weights } from '../engine/local/model/weights.ts';
import { Runtime } from '../engine/local/runtime/runtime.ts';
import { LocalSampler } from '../engine/local/sampling/local-sampler.ts';
import { InputError } from '../errors.ts';
import { usualFamily } from '../recipe/open-family.ts';
import { serveApp } from '../serve/app.ts';
import { listen } from '../serve/http-server.ts';
import { ServedModel } from '../serve/served-model.ts';
import { declaredText } from '../texts/declared-text.ts';
import { tinkerMount } from '../tinker/server/mount.ts';
import { TinkerService } from '../tinker/server/tinker-service.ts';
import { EXIT, explainError } from './exit.ts';
import { findModel } from './find-model.ts';
import { onInterrupt } from './interrupt.ts';
import { say } from './print.ts';

export type ServeOptions = {
  /** Also the Tinker API, for training. */
  readonly tinker?: boolean;
  /** Where what is trained is kept. */
  readonly data?: string;
  readonly port: number;
  readonly host: string;
  /** The address by which clients reach the server, where it is not the one that it listens on. */
  readonly publicUrl?: URL;
  /** The environment variable that holds the API key. */
  readonly apiKeyEnv?: string;
};

/** `unrut serve MODEL`: answers until it is told to stop, then finishes what is in flight. */
export async function serve(name: string, options: ServeOptions): Promise<number> {
  const { data = 'tinker-data' } = options;
  if (options.data !== undefined && !options.tinker) throw new InputError('--data is for --tinker; add it');
  const apiKey = readKey(options.apiKeyEnv);
  const runtime = Runtime.open();
  try {
    const opened = await openModel(name, runtime);
    const { model } = opened;
    const tinker = options.tinker ? await openTinker(opened, runtime, data) : undefined;
    const access = { apiKey, address: options, onFault };
    const app = serveApp(model, { ...access, ...(tinker && { tinker: tinkerMount(tinker, access) }) });
    const server = await listen(app.fetch, options);
    say(`unrut: serves ${model.id} at ${server.url}/v1; Ctrl-C stops it`);
    if (tinker) say(`unrut: trains it at TINKER_BASE_URL=${server.url}; checkpoints are kept in ${data}`);
    await stopSignal();
    await Promise.all([server.stop(), tinker?.close()]);
    return EXIT.ok;
  } finally {
    await runtime.close();
  }
}

const onFault = (error: unknown): void => say(explainError(error));

function readKey(variable: string | undefined): string | undefined {
  if (variable === undefined) return undefined;
  const key = process.env[variable];
  if (key) return key;
  throw new InputError(`--api-key-env: ${variable} is not set; put the key into it, or leave the option out`);
}

type Opened = {
  readonly model: ServedModel;
  readonly name: string;
  readonly folder: string;
  readonly weights: Weights;
  readonly format: ChatFormat;
};

/** A model folder, a finished run, whose model goes by the run's name, or a model of the hub. */
async function openModel(given: string, runtime: Runtime): Promise<Opened> {
  const { folder, name: found } = await findModel(given);
  const format = await ChatFormat.open(folder);
  const baseText = await declaredText(folder);
  const weights = await readModelFolder(folder);
  const name = basename(resolve(found)).replace(/@[0-9a-f]{40}$/, '');
  const model = new ServedModel({
    id: name,
    sampler: new LocalSampler(runtime, weights),
    format,
    maxPositions: weights.config.maxPositions,
    vocabSize: weights.config.vocabSize,
    problemFamily: baseText && usualFamily(baseText),
    calls: runtime.workers,
  });
  return { model, name, folder, weights, format };
}

function openTinker({ model: _model, ...parts }: Opened, runtime: Runtime, data: string): Promise<TinkerService> {
  return TinkerService.open({ ...parts, runtime }, { folder: data, onFault, say });
}

/** Resolves at the first signal; the next one ends the process at once. */
function stopSignal(): Promise<void> {
  const { signal } = onInterrupt('stops when what is in flight is answered');
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
}
