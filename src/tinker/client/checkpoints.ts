import { Failure } from '../../engine/http/failure.ts';
import { lookUp } from '../../look-up.ts';
import { checkpointsAnswer, trainingRunsAnswer, type WireCheckpoint } from '../wire/answers.ts';
import { addressOf, asPart, parseTinkerPath, type TinkerPath, tinkerPath } from '../wire/path.ts';
import { type Call, isNotThere, type TinkerHttp } from './http.ts';

/** What a service keeps of a model, as it says. */
export type Checkpoint = {
  readonly path: string;
  /** `training`: weights and the optimiser's state. `sampler`: weights to sample from. */
  readonly kind: string;
  /** When it was saved, ISO 8601. */
  readonly time: string | null;
  readonly sizeBytes: number | null;
  /** ISO 8601; null where it is kept for good, or the service does not say. */
  readonly expiresAt: string | null;
};

/** Entries a request. */
const PAGE = 100;

/**
 * Everything that a service keeps for this key, newest first. One that lists only by run (SkyRL) is asked run by run.
 * @throws EndpointError naming the call, also where the service has no such list.
 */
export async function listCheckpoints(http: TinkerHttp): Promise<Checkpoint[]> {
  const found = (await orNotThere(everyCheckpoint(http))) ?? (await orNotThere(checkpointsByRun(http)));
  if (found === undefined) {
    throw http.error({ what: 'checkpoints' }, 'this service has no such call, and lists no training runs either');
  }
  const once = new Map(found.map((checkpoint) => [checkpoint.path, checkpoint])); // pages shift while others save
  return [...once.values()].sort((a, b) => (b.time ?? '').localeCompare(a.time ?? ''));
}

function everyCheckpoint(http: TinkerHttp): Promise<Checkpoint[]> {
  return pages(http, 'checkpoints', (json) => {
    const { checkpoints, cursor } = checkpointsAnswer.parse(json);
    return { items: checkpoints.map(fromWire), total: cursor?.total_count };
  });
}

async function checkpointsByRun(http: TinkerHttp): Promise<Checkpoint[]> {
  const ids = await pages(http, 'training_runs', (json) => {
    const { training_runs, cursor } = trainingRunsAnswer.parse(json);
    return { items: training_runs.map((run) => run.training_run_id), total: cursor?.total_count };
  });
  const found: Checkpoint[] = [];
  for (const id of ids) found.push(...(await checkpointsOf(http, id)));
  return found;
}

/** @throws Refused where the service has no such run, or no such call. */
async function checkpointsOf(http: TinkerHttp, runId: string): Promise<Checkpoint[]> {
  const what = `checkpoints of training run ${runId}`;
  const path = `training_runs/${asPart(runId)}/checkpoints`;
  const { checkpoints } = await http.ask({ what, method: 'GET', path }, checkpointsAnswer.parse);
  return checkpoints.map(fromWire);
}

/** A list that comes in pages; one without a cursor is all there is. */
async function pages<Item>(
  http: TinkerHttp,
  what: string,
  read: (json: unknown) => { readonly items: readonly Item[]; readonly total: number | undefined },
): Promise<Item[]> {
  const found: Item[] = [];
  for (;;) {
    const path = `${what}?limit=${PAGE}&offset=${found.length}`;
    const { items, total } = await http.ask({ what, method: 'GET', path }, read);
    found.push(...items);
    if (items.length === 0 || found.length >= (total ?? 0)) return found;
  }
}

function fromWire({ tinker_path, checkpoint_type, time, size_bytes, expires_at }: WireCheckpoint): Checkpoint {
  return {
    path: tinker_path,
    kind: checkpoint_type,
    time: time ?? null,
    sizeBytes: size_bytes ?? null,
    expiresAt: expires_at ?? null,
  };
}

/** Undefined instead of "no such address". */
function orNotThere<Value>(asked: Promise<Value>): Promise<Value | undefined> {
  return asked.catch((error: unknown) => {
    if (isNotThere(error)) return undefined;
    throw error;
  });
}

/**
 * Does something with one checkpoint, by its path in full, which it returns: the service's list of the run fills in a
 * kind that was left out, and tells a checkpoint that is not there from a call that is not.
 * @param call of the work, for people.
 * @throws WireError on what is no path, EndpointError where no checkpoint is meant, or two are, or the work fails.
 */
export async function withCheckpoint(
  http: TinkerHttp,
  path: string,
  call: string,
  work: (whole: string) => Promise<void>,
): Promise<string> {
  const place = parseTinkerPath(path);
  const list = checkpointsOf(http, place.modelId);
  const listed = tinkerPath(place) === path ? await orNotThere(list) : await list;
  const whole = listed === undefined ? path : meant(http, path, listed);
  try {
    await work(whole);
    return whole;
  } catch (error) {
    if (listed === undefined || !isNotThere(error)) throw error;
    throw http.error({ what: whole }, `is there, but this service has no ${call} for it (answers ${error.status})`);
  }
}

/** How a path says what the list calls a kind. */
const KINDS: Readonly<Record<string, TinkerPath['kind']>> = { training: 'weights', sampler: 'sampler_weights' };

function meant(http: TinkerHttp, path: string, listed: readonly Checkpoint[]): string {
  const there = listed.flatMap((one) => {
    const kind = lookUp(KINDS, one.kind);
    return kind ? [parseTinkerPath(one.path, kind)] : [];
  });
  const fits = (place: TinkerPath) => tinkerPath(parseTinkerPath(path, place.kind)) === tinkerPath(place);
  const fitting = there.filter(fits).map(tinkerPath);
  if (fitting.length > 1) throw http.error({ what: path }, `there are ${fitting.join(' and ')}; say which`);
  const [whole] = fitting;
  if (whole !== undefined) return whole;
  throw http.error({ what: path }, 'there is no such checkpoint; `unrut checkpoints` lists those there are');
}

export async function deleteCheckpoint(http: TinkerHttp, path: string): Promise<void> {
  await http.send(deletion(path));
}

/** Asked for once: a service that keeps what it is told to delete is left to it. */
export async function tryToDelete(http: TinkerHttp, path: string): Promise<void> {
  await http.once(deletion(path)).catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
  });
}

function deletion(path: string): Call {
  const place = parseTinkerPath(path, 'weights');
  return { what: `delete ${path}`, method: 'DELETE', path: addressOf(place) };
}
