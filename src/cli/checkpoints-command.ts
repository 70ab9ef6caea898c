import { readdirSync, statSync } from 'node:fs';
import { realClock } from '../engine/http/clock.ts';
import { Secret } from '../engine/http/secret.ts';
import { EndpointError, InputError } from '../errors.ts';
import { columnsOf, fits } from '../report/fit.ts';
import { printTable } from '../report/print-table.ts';
import { type Checkpoint, deleteCheckpoint, listCheckpoints, withCheckpoint } from '../tinker/client/checkpoints.ts';
import { downloadAdapter } from '../tinker/client/download-adapter.ts';
import { Refused, TinkerHttp } from '../tinker/client/http.ts';
import { EXIT } from './exit.ts';
import { readBaseUrl } from './options/engine-options.ts';
import { print, printJson } from './print.ts';

export type CheckpointsOptions = { readonly baseUrl?: string; readonly keyEnv?: string; readonly json?: boolean };

/** A person waits. */
const PATIENCE = 20_000;
/** Some services pack an archive when it is asked for, and say 503 until it is there. */
const ARCHIVE_PATIENCE = 5 * 60_000;

/** `unrut checkpoints`: what a service keeps. */
export async function listKept(options: CheckpointsOptions): Promise<number> {
  const kept = await ask(options, PATIENCE, listCheckpoints);
  return tell(options, kept.map(toJson), kept.length === 0 ? 'nothing is kept there' : renderTable(kept));
}

/** `unrut checkpoints download PATH`: the adapter as a PEFT folder. */
export async function downloadKept(
  path: string,
  options: CheckpointsOptions & { readonly out: string },
): Promise<number> {
  const { out } = options;
  refuseUsed(out);
  const whole = await ask(options, ARCHIVE_PATIENCE, (http) => {
    return withCheckpoint(http, path, 'GET …/archive', (found) => downloadAdapter(http, found, out));
  });
  return tell(options, { path: whole, folder: out }, `${whole} is in ${out}, as PEFT has it`);
}

/** `unrut checkpoints delete PATH`. */
export async function deleteKept(path: string, options: CheckpointsOptions): Promise<number> {
  const deleted = await ask(options, PATIENCE, (http) => {
    return withCheckpoint(http, path, 'DELETE', (found) => deleteCheckpoint(http, found));
  });
  return tell(options, { deleted }, `${deleted} is deleted`);
}

/** @throws EndpointError where the service cannot be asked, with the way out where the key is not accepted. */
async function ask<T>(
  { baseUrl, keyEnv }: CheckpointsOptions,
  patience: number,
  work: (http: TinkerHttp) => Promise<T>,
): Promise<T> {
  const secret = Secret.of({ keyVariable: 'TINKER_API_KEY' }, keyEnv);
  const http = new TinkerHttp(readBaseUrl(baseUrl, 'checkpoints'), secret, { clock: realClock, seed: 0, patience });
  try {
    return await work(http);
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 401) throw error;
    throw new EndpointError(`${error.message}; put the right one into ${keyEnv ?? 'TINKER_API_KEY'}`);
  } finally {
    http.close();
  }
}

function refuseUsed(folder: string): void {
  const stats = statSync(folder, { throwIfNoEntry: false });
  if (stats === undefined || (stats.isDirectory() && readdirSync(folder).length === 0)) return;
  throw new InputError(`${folder}: already holds something; choose another with --out`);
}

function toJson({ path, kind, time, sizeBytes, expiresAt }: Checkpoint): object {
  return { path, kind, time, size_bytes: sizeBytes, expires_at: expiresAt };
}

function renderTable(kept: readonly Checkpoint[]): string {
  const table = printTable(['checkpoint', 'kind', 'MB', 'saved (UTC)', 'expires (UTC)'], [2]);
  for (const { path, kind, time, sizeBytes, expiresAt } of kept) {
    table.push([path, kind, megabytes(sizeBytes), minute(time) || '?', minute(expiresAt)]);
  }
  const total = kept.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
  const columns = columnsOf();
  const lines = columns === undefined || fits(String(table), columns) ? table : kept.map(narrowLines).join('\n');
  return `${lines}\n${kept.length} kept${total > 0 ? `, ${megabytes(total)} MB` : ''}`;
}

function narrowLines({ path, kind, time, sizeBytes, expiresAt }: Checkpoint): string {
  const end = expiresAt === null ? '' : `, expires ${minute(expiresAt)}`;
  return `${path}\n  ${kind}, ${megabytes(sizeBytes)} MB, saved ${minute(time) || '?'}${end}`;
}

const megabytes = (bytes: number | null): string => (bytes === null ? '?' : (bytes / 1e6).toFixed(2));

/** `2026-11-25 08:05` */
const minute = (time: string | null): string => time?.slice(0, 16).replace('T', ' ') ?? '';

function tell({ json }: CheckpointsOptions, value: object, words: string): number {
  if (json) printJson(value);
  else print(`${words}\n`);
  return EXIT.ok;
}
