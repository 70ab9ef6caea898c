import { once } from 'node:events';
import { statSync } from 'node:fs';
import { InputError } from '../errors.ts';
import { listen } from '../serve/http-server.ts';
import { viewer } from '../view/app.ts';
import { EXIT } from './exit.ts';
import { print } from './print.ts';

export type ViewOptions = { readonly port: number };

/** `unrut view [FOLDER]`: shows runs in a browser on this machine until Ctrl-C. */
export async function view(folder: string, { port }: ViewOptions): Promise<number> {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new InputError(`${folder}: no such folder; name one that holds runs or logs`);
  }
  const stop = new AbortController();
  const app = viewer(folder, stop.signal);
  const server = await listen((request) => app.fetch(request), { host: '127.0.0.1', port });
  print(`${folder} is shown at ${server.url}/ (Ctrl-C ends it)\n`);
  await Promise.race((['SIGINT', 'SIGTERM'] as const).map((signal) => once(process, signal)));
  stop.abort();
  await server.stop();
  return EXIT.ok;
}
