import { tinkerPath } from '../wire/path.ts';
import { type Checkpoint, type CheckpointStore, type Run, readPath, runOf } from './checkpoint-store.ts';
import { quoted, Refusal } from './refusal.ts';
import type { Training } from './training.ts';

/** @file Runs and checkpoints as the wire lists them. */

export type Page = { readonly offset: number; readonly limit: number };

export class TrainingRuns {
  readonly #training: Training;
  readonly #store: CheckpointStore;

  constructor(training: Training, store: CheckpointStore) {
    this.#training = training;
    this.#store = store;
  }

  /** Newest first. */
  list(page: Page): object {
    const runs = this.#all().sort((a, b) => b.lastRequest.localeCompare(a.lastRequest));
    return { training_runs: cut(runs, page).map((run) => this.#describe(run)), cursor: cursor(runs, page) };
  }

  /** @throws Refusal 404. */
  find(id: string): object {
    return this.#describe(this.#find(id));
  }

  checkpoints(runId: string): object {
    this.#find(runId);
    return { checkpoints: this.#store.list(runId).map(describeCheckpoint) };
  }

  allCheckpoints(page: Page): object {
    const all = this.#store.list();
    return { checkpoints: cut(all, page).map(describeCheckpoint), cursor: cursor(all, page) };
  }

  /** What has to be known to load a checkpoint. @throws Refusal 400 or 404. */
  weightsInfo(path: string): object {
    const { kind } = readPath(path);
    const { baseModel, lora } = runOf(this.#store, path);
    const { rank, train_unembed, train_mlp, train_attn } = lora;
    const modules = { train_unembed, train_mlp, train_attn };
    return { base_model: baseModel, is_lora: true, lora_rank: rank, ...modules, has_optimizer: kind === 'weights' };
  }

  #all(): Run[] {
    const living = this.#training.models.map(({ run }) => run);
    const ids = new Set(living.map(({ id }) => id));
    return [...living, ...this.#store.runs.filter(({ id }) => !ids.has(id))];
  }

  #find(id: string): Run {
    const run = this.#all().find((one) => one.id === id);
    if (run !== undefined) return run;
    throw new Refusal(`there is no training run ${quoted(id)}`, 404);
  }

  #describe({ id, baseModel, lora, userMetadata, lastRequest }: Run): object {
    const own = this.#store.list(id);
    const last = (kind: string) => own.filter(({ place }) => place.kind === kind).map(describeCheckpoint)[0] ?? null;
    return {
      training_run_id: id,
      base_model: baseModel,
      model_owner: 'local',
      is_lora: true,
      corrupted: false,
      lora_rank: lora.rank,
      last_request_time: lastRequest,
      last_checkpoint: last('weights'),
      last_sampler_checkpoint: last('sampler_weights'),
      user_metadata: asText(userMetadata),
    };
  }
}

function describeCheckpoint({ place, time, sizeBytes, expiresAt, userMetadata }: Checkpoint): object {
  return {
    checkpoint_id: `${place.kind}/${place.name}`,
    checkpoint_type: place.kind === 'weights' ? 'training' : 'sampler',
    time,
    tinker_path: tinkerPath(place),
    size_bytes: sizeBytes,
    public: false,
    expires_at: expiresAt,
    user_metadata: asText(userMetadata),
  };
}

/** The wire knows only text. */
function asText(metadata: Run['userMetadata']): Record<string, string> | null {
  if (!metadata) return null;
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  return Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, text(value)]));
}

const cut = <Item>(items: readonly Item[], { offset, limit }: Page): readonly Item[] =>
  items.slice(offset, offset + limit);

const cursor = (items: readonly unknown[], page: Page): object => ({ ...page, total_count: items.length });
