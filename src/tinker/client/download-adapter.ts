import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import { writeWholeFolder } from '../../disk/whole-folder.ts';
import type { Heard } from '../../engine/http/transport.ts';
import { archiveAnswer } from '../wire/answers.ts';
import { addressOf, parseTinkerPath, type TinkerPath } from '../wire/path.ts';
import { isNotThere, type TinkerHttp } from './http.ts';

/** An archive is written while one waits. */
const TIMEOUT = 10 * 60_000;

/** Anything else in an archive stays there. */
const FILES = new Set(['adapter_config.json', 'adapter_model.safetensors']);

/** Downloads the adapter of a checkpoint, as a PEFT folder. @throws EndpointError where there is none. */
export async function downloadAdapter(http: TinkerHttp, path: string, folder: string): Promise<void> {
  const what = `archive of ${path}`;
  const files = await adapterFiles(await fetchArchive(http, what, parseTinkerPath(path)));
  if (files.size < FILES.size) throw http.error({ what }, `holds ${[...files.keys()].join(', ') || 'no adapter'}`);
  await writeWholeFolder(folder, async (beside) => {
    await mkdir(beside, { recursive: true });
    for (const [file, bytes] of files) await writeFile(join(beside, file), bytes);
  });
}

/** The archive itself, or an address where it lies: by redirection, or in JSON. */
async function fetchArchive(http: TinkerHttp, what: string, place: TinkerPath): Promise<Buffer> {
  const call = { what, method: 'GET', timeout: TIMEOUT } as const;
  const ask = (at: string) => http.send({ ...call, path: `${at}/archive`, redirects: true });
  const heard = await ask(addressOf(place)).catch((error: unknown) => {
    if (place.kind !== 'sampler_weights' || !isNotThere(error)) throw error;
    return ask(addressOf(place).replace('/sampler_weights/', '/')); // some servers leave the kind out here, too
  });
  const elsewhere = heard.headers.get('location') ?? addressIn(http, what, heard);
  return elsewhere ? (await http.send({ ...call, path: elsewhere })).body : heard.body;
}

function addressIn(http: TinkerHttp, what: string, heard: Heard): string | undefined {
  if (!heard.headers.get('content-type')?.startsWith('application/json')) return undefined;
  return http.read({ what }, heard, archiveAnswer.parse).url;
}

async function adapterFiles(archive: Buffer): Promise<Map<string, Buffer>> {
  const entries = Readable.from([archive]).pipe(extract());
  const files = new Map<string, Buffer>();
  for await (const entry of entries) {
    const name = basename(entry.header.name);
    if (FILES.has(name)) files.set(name, await buffer(entry));
    else entry.resume();
  }
  return files;
}
