import type { z } from 'zod';
import { readPeftFolder, readPeftShape } from '../../engine/local/files/peft-folder.ts';
import { LocalSampler } from '../../engine/local/sampling/local-sampler.ts';
import type { ServedModel } from '../../serve/served-model.ts';
import type { sampleRequest } from '../wire/requests.ts';
import { encodeSampleResponse } from '../wire/sample-response.ts';
import type { BaseModel } from './base-model.ts';
import { type CheckpointStore, type Run, readPath, runOf } from './checkpoint-store.ts';
import { CompletionLog, type Completions } from './completion-log.ts';
import type { Future, FutureStore } from './future-store.ts';
import { quoted, Refusal } from './refusal.ts';
import { answerSample, planSample } from './sampling.ts';
import type { Session } from './sessions.ts';
import { Snapshots } from './snapshots.ts';

/** One client's view of an immutable model. */
type SamplingSession = {
  readonly id: string;
  readonly owner: Session;
  /** Under which {@link Snapshots} has the model. */
  readonly key: string;
  readonly baseModel: string;
  /** `tinker://…`; none of the base and of snapshots without a name. */
  readonly modelPath: string | undefined;
  /** What was asked, by its number: the payload's print and the request's id. */
  readonly asked: Map<string, { readonly print: string; readonly requestId: string }>;
  readonly log: CompletionLog;
  joined: number;
};

type Request = z.output<typeof sampleRequest>;

const MOST_SAMPLING_SESSIONS = 16_384;

/** Requests of a session that are remembered, for who sends one again. */
const REMEMBERED = 8192;

/** Sequences that may wait for one model. */
const MOST_WAITING = 4096;

/** A cloned sampling client counts from a billion times its number. */
const CLONE = 10n ** 9n;

export class SamplerRegistry {
  readonly #base: BaseModel;
  readonly #store: CheckpointStore;
  readonly #futures: FutureStore;
  readonly #snapshots: Snapshots;
  readonly #byId = new Map<string, SamplingSession>();
  readonly #running = new Map<string, AbortController>();

  constructor(base: BaseModel, store: CheckpointStore, futures: FutureStore) {
    this.#base = base;
    this.#store = store;
    this.#futures = futures;
    this.#snapshots = new Snapshots(4 * base.weights.size);
  }

  /** Requests that are not answered yet. */
  get running(): number {
    return this.#running.size;
  }

  /** Of the base, or of a checkpoint for samplers. The same number again is the same session. */
  create(session: Session, seqId: number, path: string | undefined, baseModel: string | undefined): string {
    const id = samplingSessionId(session.id, seqId);
    const known = this.#byId.get(id);
    if (known !== undefined && known.modelPath === path) return id;
    if (known !== undefined) throw new Refusal(`sampling_session_seq_id ${seqId} was used for another sampler`);
    if (path === undefined && baseModel === undefined) throw new Refusal('give base_model or model_path');
    if (baseModel !== undefined) this.#base.check(baseModel);
    if (path !== undefined) this.#checkPath(path);
    const ofBase = baseModel ?? runOf(this.#store, path!).baseModel; // one of the two is there
    this.#add(session, { id, key: path ?? this.#base.name, baseModel: ofBase, modelPath: path });
    return id;
  }

  /** A snapshot that only this sampling session has. @param serve makes it, given its key. */
  addSnapshot(session: Session, seqId: number, run: Run, serve: (key: string) => ServedModel): string {
    const id = samplingSessionId(session.id, seqId);
    this.#snapshots.put(id, Promise.resolve(serve(id)));
    this.#add(session, { id, key: id, baseModel: run.baseModel, modelPath: undefined });
    return id;
  }

  /** The model of a checkpoint that was just written, which need not be read. */
  keep(path: string, model: ServedModel): void {
    this.#snapshots.put(path, Promise.resolve(model));
  }

  describe(id: string): object {
    const { baseModel, modelPath } = this.#find(id);
    return { sampler_id: id, base_model: baseModel, ...(modelPath && { model_path: modelPath }) };
  }

  /** The number of a new clone of a sampling client. */
  join(id: string): number {
    return ++this.#find(id).joined;
  }

  /** By a checkpoint's path. @throws Refusal 400 or 404. */
  async ofPath(path: string): Promise<ServedModel> {
    this.#checkPath(path);
    return this.#snapshots.get(path, () => this.#read(path));
  }

  /** @throws Refusal: 404 of an unknown sampler, 400 naming a field, 429 where too much waits. */
  async sample(request: Request, print: string): Promise<{ requestId: string; sequenceIds: string[] }> {
    if (!request.sampling_session_id) throw new Refusal('sampling_session_id is missing');
    const session = this.#find(request.sampling_session_id);
    const model = await this.#model(session);
    const seqId = request.seq_id ?? undefined;
    const requestId = this.#known(session, seqId, print) ?? this.#start(session, model, request, seqId, print);
    const name = `${session.id}:${seqId ?? requestId}`;
    return { requestId, sequenceIds: Array.from({ length: request.num_samples }, (_, at) => `${name}:${at}`) };
  }

  /** Whether or not there is something to be given up. */
  cancel(requestId: string): void {
    this.#running.get(requestId)?.abort(new Refusal('it was cancelled'));
  }

  cancelAll(reason: string): void {
    for (const stop of this.#running.values()) stop.abort(new Refusal(reason));
  }

  completions(id: string, clone: number, cursor: number, longestMs: number): Promise<Completions> {
    return this.#find(id).log.after(cursor, clone, longestMs);
  }

  release({ samplerIds }: Session): void {
    for (const id of samplerIds) {
      this.#byId.delete(id);
      this.#snapshots.drop(id);
    }
  }

  #add(owner: Session, sampler: Omit<SamplingSession, 'owner' | 'asked' | 'joined' | 'log'>): void {
    this.#byId.set(sampler.id, { ...sampler, owner, asked: new Map(), joined: 0, log: new CompletionLog() });
    owner.samplerIds.push(sampler.id);
    if (this.#byId.size > MOST_SAMPLING_SESSIONS) this.#byId.delete(this.#byId.keys().next().value!); // there is one
  }

  #find(id: string): SamplingSession {
    const session = this.#byId.get(id);
    if (session !== undefined) {
      session.owner.lastSeen = Date.now();
      return session;
    }
    throw new Refusal(`there is no sampling session ${quoted(id)}; create one`, 404);
  }

  #checkPath(path: string): void {
    const { kind } = readPath(path);
    if (kind !== 'sampler_weights')
      throw new Refusal(`${quoted(path)} is not for sampling; use save_weights_for_sampler`);
    this.#store.find(path);
  }

  async #model({ key, modelPath, id }: SamplingSession): Promise<ServedModel> {
    if (key === this.#base.name) return this.#base.served;
    return this.#snapshots.get(key, async () => {
      if (modelPath !== undefined) return this.#read(modelPath);
      throw new Refusal(
        `the snapshot of ${id} had to make room for others; save weights under a name to keep them`,
        404,
      );
    });
  }

  async #read(path: string): Promise<ServedModel> {
    const run = runOf(this.#store, path);
    const { runtime, weights } = this.#base;
    const adapter = await this.#store.read(path, async (folder) => {
      return readPeftFolder(folder, weights, await readPeftShape(folder));
    });
    return this.#base.serve(await LocalSampler.adapted(runtime, weights, adapter), path, run.id);
  }

  #known({ asked, id }: SamplingSession, seqId: string | undefined, print: string): string | undefined {
    const before = seqId === undefined ? undefined : asked.get(seqId);
    if (before === undefined || before.print === print) return before?.requestId;
    throw new Refusal(`seq_id ${seqId} of ${id} was used for another request`);
  }

  #start(session: SamplingSession, model: ServedModel, request: Request, seqId = '', print: string): string {
    const plan = planSample(request, model);
    if (model.waiting + plan.samples > MOST_WAITING) throw new Refusal(`${model.waiting} sequences wait already`, 429);
    const future = this.#futures.open();
    const stop = new AbortController();
    this.#running.set(future.id, stop);
    future.watch(() => {
      this.#running.delete(future.id);
      session.log.add(future, seqId === '' ? 0 : Number(BigInt(seqId) / CLONE));
    });
    if (seqId !== '') this.#remember(session, seqId, { print, requestId: future.id });
    void this.#run(future, answerSample(model, plan, stop.signal));
    return future.id;
  }

  async #run(future: Future, answer: ReturnType<typeof answerSample>): Promise<void> {
    try {
      future.settle({ kind: 'protobuf', bytes: encodeSampleResponse(await answer) });
    } catch (error) {
      future.settle(this.#futures.failure(error));
    }
  }

  #remember({ asked }: SamplingSession, seqId: string, entry: { print: string; requestId: string }): void {
    asked.set(seqId, entry);
    if (asked.size > REMEMBERED) asked.delete(asked.keys().next().value!); // there is one
  }
}

const samplingSessionId = (sessionId: string, seqId: number): string => `${sessionId}:sample:${seqId}`;
