import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { writeWholeFolder } from '../../record/whole-folder.ts';
import { Failure } from '../endpoint/failure.ts';
import type { Heard } from '../endpoint/transport.ts';
import { Refused, type TinkerHttp } from './http.ts';
import { archiveAnswer } from './wire/answers.ts';
import { parseTinkerPath } from './wire/path.ts';

/** An archive is written while one waits. */
const TIMEOUT = 10 * 60_000;

/** Anything else in an archive stays there. */
const FILES = new Set(['adapter_config.json', 'adapter_model.safetensors']);

/** Downloads weights that were saved to sample from, as a PEFT folder. @throws EndpointError where there are none. */
export async function downloadAdapter(http: TinkerHttp, path: string, folder: string): Promise<void> {
  const { modelId, name } = parseTinkerPath(path);
  const what = `archive of ${path}`;
  const files = await adapterFiles(await fetchArchive(http, what, modelId, name));
  if (files.size < FILES.size) throw http.error({ what }, `holds ${[...files.keys()].join(', ') || 'no adapter'}`);
  await writeWholeFolder(folder, async (beside) => {
    await mkdir(beside, { recursive: true });
    for (const [file, bytes] of files) await writeFile(join(beside, file), bytes);
  });
}

/** No such address, or none that can be read. */
const NOT_THERE = new Set([404, 405]);

/** The archive itself, or an address where it lies: by redirection, or in JSON. */
async function fetchArchive(http: TinkerHttp, what: string, modelId: string, name: string): Promise<Buffer> {
  const call = { what, method: 'GET', timeout: TIMEOUT } as const;
  const ask = (place: string) =>
    http.send({ ...call, path: `training_runs/${modelId}/checkpoints/${place}/archive`, redirects: true });
  const heard = await ask(`sampler_weights/${name}`).catch((error: unknown) => {
    if (!(error instanceof Refused) || !NOT_THERE.has(error.status)) throw error;
    return ask(name); // some servers leave the kind out here, too
  });
  const elsewhere = heard.headers.get('location') ?? addressIn(http, what, heard);
  return elsewhere ? (await http.send({ ...call, path: elsewhere })).body : heard.body;
}

function addressIn(http: TinkerHttp, what: string, heard: Heard): string | undefined {
  if (!heard.headers.get('content-type')?.startsWith('application/json')) return undefined;
  return http.read({ what }, heard, archiveAnswer.parse).url;
}

async function adapterFiles(archive: Buffer): Promise<Map<string, Buffer>> {
  const isGzip = archive[0] === 0x1f && archive[1] === 0x8b;
  const entries = Readable.from([isGzip ? gunzipSync(archive) : archive]).pipe(extract());
  const files = new Map<string, Buffer>();
  for await (const entry of entries) {
    const name = basename(entry.header.name);
    if (FILES.has(name)) files.set(name, await buffer(entry));
    else entry.resume();
  }
  return files;
}

/** Asked for once: a service that keeps what it is told to delete is left to it. */
export async function deleteCheckpoint(http: TinkerHttp, path: string): Promise<void> {
  const { modelId, kind, name } = parseTinkerPath(path, 'weights');
  const at = `training_runs/${modelId}/checkpoints/${kind}/${name}`;
  await http.once({ what: `delete ${path}`, method: 'DELETE', path: at }).catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
  });
}
