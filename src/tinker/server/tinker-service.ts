import { setTimeout as wait } from 'node:timers/promises';
import { BaseModel, type BaseParts } from './base-model.ts';
import { CheckpointStore } from './checkpoint-store.ts';
import { FairQueue } from './fair-queue.ts';
import { FutureStore } from './future-store.ts';
import { SamplerRegistry } from './sampler-registry.ts';
import { Sessions } from './sessions.ts';
import { Training } from './training.ts';
import { TrainingRuns } from './training-runs.ts';

export type ServiceOptions = {
  /** Where checkpoints are kept; nothing is written anywhere else. */
  readonly folder: string;
  /** Called with what went wrong on our side. */
  onFault(error: unknown): void;
  say(line: string): void;
  /** How long a request waits for one with a lower number. */
  readonly gapMs?: number;
  /** How long a poll is held. */
  readonly pollMs?: number;
};

const GAP_MS = 60_000;

/** Well below the 45 seconds after which clients give a poll up. */
const POLL_MS = 25_000;

const STOPS = 'the server stops';

/** How long a stop waits for what was begun. */
const GRACE_MS = 20_000;

/** How often a stop looks whether work is finished. */
const LOOK_MS = 20;

/** All that the Tinker API does, over one base model. */
export class TinkerService {
  readonly base: BaseModel;
  readonly store: CheckpointStore;
  readonly futures: FutureStore;
  readonly sessions: Sessions;
  readonly samplers: SamplerRegistry;
  readonly training: Training;
  readonly runs: TrainingRuns;
  readonly pollMs: number;

  private constructor(parts: BaseParts, store: CheckpointStore, options: ServiceOptions) {
    const turns = new FairQueue(parts.runtime.workers + 1); // one more than works, so that none waits for the next
    this.store = store;
    this.base = new BaseModel(parts, turns);
    this.futures = new FutureStore(options.onFault);
    this.samplers = new SamplerRegistry(this.base, store, this.futures);
    this.sessions = new Sessions((session) => {
      this.training.release(session);
      this.samplers.release(session);
    });
    const gapMs = options.gapMs ?? GAP_MS;
    this.training = new Training({ ...this, turns, gapMs });
    this.runs = new TrainingRuns(this.training, store);
    this.pollMs = options.pollMs ?? POLL_MS;
  }

  static async open(parts: BaseParts, options: ServiceOptions): Promise<TinkerService> {
    return new TinkerService(parts, await CheckpointStore.open(options.folder, options.say), options);
  }

  /** Work that was begun is finished, so that what it saves is there; what was not begun fails. Then polls end. */
  async close(): Promise<void> {
    for (const { lane } of this.training.models) lane.close(STOPS);
    this.samplers.cancelAll(STOPS);
    const late = Date.now() + GRACE_MS;
    while (this.futures.underWay > 0 && Date.now() < late) await wait(LOOK_MS);
    this.futures.close();
  }
}
