import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { ChatFormat } from '../chat/chat-format.ts';
import { LocalSampler } from '../engine/local/local-sampler.ts';
import { readModelFolder } from '../engine/local/model-folder.ts';
import { Runtime } from '../engine/local/runtime.ts';
import { InputError } from '../errors.ts';
import { serveApp } from '../serve/app.ts';
import { listen } from '../serve/http-server.ts';
import { ServedModel } from '../serve/served-model.ts';
import { EXIT, explainError } from './exit.ts';

export type ServeOptions = {
  readonly port: number;
  readonly host: string;
  /** The environment variable that holds the API key. */
  readonly apiKeyEnv?: string;
};

/** `unrut serve MODEL`: answers until it is told to stop, then finishes what is in flight. */
export async function serve(name: string, options: ServeOptions): Promise<number> {
  const apiKey = readKey(options.apiKeyEnv);
  const runtime = Runtime.open();
  try {
    const model = await openModel(name, runtime);
    const app = serveApp(model, { apiKey, onFault: (error) => say(explainError(error)) });
    const server = await listen(app.fetch, options);
    say(`unrut: serves ${model.id} at ${server.url}/v1; Ctrl-C stops it`);
    await stopSignal();
    say('unrut: stops when what is in flight is answered; press Ctrl-C again to end at once');
    await server.stop();
    return EXIT.ok;
  } finally {
    await runtime.close();
  }
}

const say = (line: string): boolean => process.stderr.write(`${line}\n`);

function readKey(variable: string | undefined): string | undefined {
  if (variable === undefined) return undefined;
  const key = process.env[variable];
  if (key) return key;
  throw new InputError(`--api-key-env: ${variable} is not set; put the key into it, or leave the option out`);
}

/** A model folder, or a finished run, whose model goes by the run's name. */
async function openModel(name: string, runtime: Runtime): Promise<ServedModel> {
  const folder = existsSync(join(name, 'run.yaml')) ? join(name, 'model') : name;
  if (!existsSync(folder)) throw new InputError(`${folder}: no such model folder`);
  const format = await ChatFormat.open(folder);
  const weights = await readModelFolder(folder);
  return new ServedModel({
    id: basename(resolve(name)),
    sampler: new LocalSampler(runtime, weights),
    format,
    maxPositions: weights.config.maxPositions,
    vocabSize: weights.config.vocabSize,
    calls: runtime.workers,
  });
}

/** The first signal; the next one ends the process at once. */
async function stopSignal(): Promise<void> {
  await Promise.race((['SIGINT', 'SIGTERM'] as const).map((signal) => once(process, signal)));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(EXIT.interrupted));
}
