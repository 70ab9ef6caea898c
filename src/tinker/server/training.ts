import type { z } from 'zod';
import { LoraPolicy } from '../../engine/local/policy/lora-policy.ts';
import { anySeed } from '../../serve/openai/choice.ts';
import type { createModelRequest, LoraConfig, loadWeightsRequest } from '../wire/requests.ts';
import type { BaseModel } from './base-model.ts';
import type { CheckpointStore, Run } from './checkpoint-store.ts';
import { runOf } from './checkpoint-store.ts';
import type { FairQueue } from './fair-queue.ts';
import { done, type FutureStore, type Outcome } from './future-store.ts';
import { ModelQueue } from './model-queue.ts';
import { quoted, Refusal } from './refusal.ts';
import type { SamplerRegistry } from './sampler-registry.ts';
import type { Session, Sessions } from './sessions.ts';
import { loadInto, TrainedModel } from './trained-model.ts';

export type TrainingParts = {
  readonly base: BaseModel;
  readonly store: CheckpointStore;
  readonly futures: FutureStore;
  readonly turns: FairQueue;
  readonly sessions: Sessions;
  readonly samplers: SamplerRegistry;
  /** How long a request waits for one with a lower number. */
  readonly gapMs: number;
};

/** Each holds its adapter, a gradient and the optimiser's state. */
const MOST_MODELS = 32;
const MOST_RANK = 512;

/** What was said to a request that makes a model, for who sends it again. */
type Created = { readonly print: string; readonly requestId: string };

/** The models in training. */
export class Training {
  readonly #parts: TrainingParts;
  readonly #models = new Map<string, TrainedModel>();
  readonly #created = new Map<string, Created>();

  constructor(parts: TrainingParts) {
    this.#parts = parts;
  }

  get models(): readonly TrainedModel[] {
    return [...this.#models.values()];
  }

  /** @throws Refusal 404. */
  find(id: string): TrainedModel {
    const model = this.#models.get(id);
    if (model === undefined) {
      throw new Refusal(`there is no model ${quoted(id)} in training; create one, or load a checkpoint of it`, 404);
    }
    model.touch();
    return model;
  }

  create(request: z.output<typeof createModelRequest>, print: string): string {
    this.#parts.base.check(request.base_model);
    checkOptimizer(request.optimizer_config);
    if (!request.lora_config) throw new Refusal('lora_config is missing; this server trains adapters alone');
    const lora = { ...request.lora_config, seed: request.lora_config.seed ?? anySeed() };
    const run = { baseModel: request.base_model, lora, userMetadata: request.user_metadata };
    return this.#open(request.session_id, request.model_seq_id, print, run, async (id) => {
      return done({ model_id: id, type: 'create_model' });
    });
  }

  /** A model that begins as a checkpoint: its adapter is of the same shape. */
  createFrom(request: z.output<typeof loadWeightsRequest>, print: string): string {
    const { store, base } = this.#parts;
    const { path, optimizer, session_id, model_seq_id } = request;
    const { lora, baseModel } = runOf(store, path);
    checkOptimizer(request.optimizer_config);
    base.check(request.base_model ?? baseModel);
    const run = { baseModel: request.base_model ?? baseModel, lora, userMetadata: request.user_metadata };
    return this.#open(session_id!, model_seq_id!, print, run, async (id, policy) => {
      await loadInto(policy, store, path, optimizer ?? false);
      return done({ path, model_id: id, type: 'load_weights' });
    });
  }

  /** What waits fails; what runs is finished. */
  unload(id: string): void {
    this.find(id).lane.close(`model ${id} was unloaded`);
    this.#models.delete(id);
  }

  release({ modelIds }: Session): void {
    for (const id of modelIds) {
      this.#models.get(id)?.lane.close(`model ${id} went with its session`);
      this.#models.delete(id);
      this.#created.delete(id);
    }
  }

  #open(
    sessionId: string,
    seqId: number,
    print: string,
    about: Omit<Run, 'id' | 'lastRequest'>,
    start: (id: string, policy: LoraPolicy) => Promise<Outcome>,
  ): string {
    const { futures, sessions, turns, gapMs } = this.#parts;
    const session = sessions.find(sessionId);
    const id = `${sessionId}:train:${seqId}`;
    const before = this.#created.get(id);
    if (before?.print === print) return before.requestId;
    if (before !== undefined) throw new Refusal(`model_seq_id ${seqId} was used for another model`);
    this.#makeRoom(about.lora);
    const future = futures.open();
    const policy = turns.take(id, 1, async () => {
      const made = new LoraPolicy(this.#parts.base.runtime, this.#parts.base.weights, this.#options(about.lora));
      return { made, outcome: await start(id, made) };
    });
    policy.then(
      ({ outcome }) => future.settle(outcome),
      (error) => {
        this.#models.delete(id);
        future.settle(futures.failure(error));
      },
    );
    const run = { ...about, id, lastRequest: new Date().toISOString() };
    const lane = new ModelQueue({ name: id, turns, futures, gapMs });
    const ready = policy.then(({ made }) => made);
    ready.catch(() => undefined); // told above
    this.#models.set(id, new TrainedModel({ ...this.#parts, run, session, lane, policy: ready }));
    this.#created.set(id, { print, requestId: future.id });
    session.modelIds.push(id);
    return future.id;
  }

  #makeRoom({ rank }: LoraConfig): void {
    if (rank > MOST_RANK) throw new Refusal(`lora_config: a rank of ${rank}; at most ${MOST_RANK} is possible`);
    this.#parts.sessions.makeRoom();
    if (this.#models.size < MOST_MODELS) return;
    throw new Refusal(`${MOST_MODELS} models are in training already; finish a session, or unload a model`);
  }

  #options({ rank, seed, train_attn, train_mlp, train_unembed }: LoraConfig) {
    const modules = { trainAttn: train_attn, trainMlp: train_mlp, trainUnembed: train_unembed };
    return { rank, seed: seed!, ...modules, baseModel: this.#parts.base.folder }; // chosen where none was given
  }
}

function checkOptimizer(config: { readonly type: string } | null | undefined): void {
  if (!config || config.type === 'adamw' || config.type === 'adam') return;
  throw new Refusal(`optimizer ${quoted(config.type)} is not supported by this server; use Adam`);
}
