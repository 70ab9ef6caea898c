import { checkData } from '../../engine/check-data.ts';
import type { AdamParams, LossOutput } from '../../engine/engine.ts';
import { writePeftFolder } from '../../engine/local/files/peft-folder.ts';
import type { LoraPolicy } from '../../engine/local/policy/lora-policy.ts';
import { encodeForwardBackwardOutput, type ForwardBackwardRequest } from '../wire/forward-backward.ts';
import { type TinkerPath, tinkerPath } from '../wire/path.ts';
import type { AdamParams as WireAdam } from '../wire/requests.ts';
import type { BaseModel } from './base-model.ts';
import { type CheckpointStore, checkName, type Run, readPath, type SaveOptions } from './checkpoint-store.ts';
import { done, type Outcome } from './future-store.ts';
import { readData, readLoss } from './loss-request.ts';
import type { ModelQueue, Step } from './model-queue.ts';
import { quoted, Refusal } from './refusal.ts';
import type { SamplerRegistry } from './sampler-registry.ts';
import type { Session } from './sessions.ts';

export type TrainedModelParts = {
  readonly run: Run;
  readonly session: Session;
  readonly lane: ModelQueue;
  /** There as soon as the model has been created. */
  readonly policy: Promise<LoraPolicy>;
  readonly base: BaseModel;
  readonly store: CheckpointStore;
  readonly samplers: SamplerRegistry;
};

/** A model in training: its requests as steps of its lane. */
export class TrainedModel {
  readonly lane: ModelQueue;
  readonly #parts: TrainedModelParts;
  #lastRequest = new Date();

  constructor(parts: TrainedModelParts) {
    this.lane = parts.lane;
    this.#parts = parts;
  }

  get run(): Run {
    return { ...this.#parts.run, lastRequest: this.#lastRequest.toISOString() };
  }

  /** Somebody asks something of it, and so is there. */
  touch(): void {
    this.#lastRequest = new Date();
    this.#parts.session.lastSeen = Date.now();
  }

  /** A part of a gradient that fails spoils all of it: the optimiser step after it fails. */
  forwardBackward(request: ForwardBackwardRequest): Step {
    const { forwardOnly } = request;
    const skip = async (reason: string) => (await this.#parts.policy).dropGradient(reason);
    return {
      overlaps: true,
      prepare: () => {
        const loss = readLoss(request.lossFn, request.lossConfig);
        const data = readData(request.data, loss);
        return async () => {
          const policy = await this.#parts.policy;
          if (forwardOnly) return output(await policy.forward(data, loss));
          try {
            checkData(data, loss, policy.config);
          } catch (error) {
            await policy.dropGradient((error as Error).message); // at once: the step may be right behind
            throw error;
          }
          return output(await policy.forwardBackward(data, loss));
        };
      },
      skip: forwardOnly ? nothing : skip,
    };
  }

  optimStep(adam: WireAdam | null | undefined, otherType: string | undefined): Step {
    return {
      overlaps: true,
      prepare: () => {
        if (otherType !== undefined) throw new Refusal(`optimizer ${quoted(otherType)} is not supported; use Adam`);
        if (!adam) throw new Refusal('adam_params is missing');
        return async () => {
          const { gradientNorm, step } = await (await this.#parts.policy).optimStep(adamParams(adam));
          return done({ metrics: { 'gradient_norm:mean': gradientNorm, 'step:max': step }, type: 'optim_step' });
        };
      },
      skip: async (reason) => {
        const policy = await this.#parts.policy;
        await policy.dropGradient(reason);
        await policy.optimStep(NO_STEP).catch(() => undefined); // fails for that reason, and forgets the gradient
      },
    };
  }

  /** @param name absent: by the request's number. */
  save(name: string, overwrite: boolean, options: SaveOptions): Step {
    const place = this.#place('weights', name);
    return this.#step(
      () => this.#checkFree(place, overwrite),
      async (policy) => {
        this.#checkFree(place, overwrite);
        await this.#parts.store.write(this.run, place, (folder) => policy.save(folder), options);
        return done({ path: tinkerPath(place), type: 'save_weights' });
      },
    );
  }

  saveForSampler(name: string, options: SaveOptions): Step {
    const place = this.#place('sampler_weights', name);
    const path = tinkerPath(place);
    return this.#step(
      () => this.#checkFree(place, false),
      async (policy) => {
        this.#checkFree(place, false);
        const [sampler, adapter] = await Promise.all([policy.sampler(), policy.adapter()]);
        const write = (folder: string) => writePeftFolder(folder, adapter, this.#parts.base.folder);
        await this.#parts.store.write(this.run, place, write, options);
        this.#parts.samplers.keep(path, this.#parts.base.serve(sampler, path, this.#parts.run.id));
        return done({ path, type: 'save_weights_for_sampler' });
      },
    );
  }

  /** A snapshot without a name, which is there for one sampling session. */
  snapshot(samplingSession: number): Step {
    return this.#step(undefined, async (policy) => {
      const { samplers, base, run, session } = this.#parts;
      const sampler = await policy.sampler();
      const id = samplers.addSnapshot(session, samplingSession, run, (key) => base.serve(sampler, key, run.id));
      return done({ path: null, sampling_session_id: id, type: 'save_weights_for_sampler' });
    });
  }

  load(path: string, optimizer: boolean): Step {
    return this.#step(undefined, async (policy) => {
      await loadInto(policy, this.#parts.store, path, optimizer);
      return done({ path, model_id: this.#parts.run.id, type: 'load_weights' });
    });
  }

  #place(kind: TinkerPath['kind'], name: string): TinkerPath {
    return { modelId: this.#parts.run.id, kind, name };
  }

  #checkFree(place: TinkerPath, overwrite: boolean): void {
    checkName(place.name);
    if (overwrite || !this.#parts.store.has(place)) return;
    throw new Refusal(`there is a checkpoint ${tinkerPath(place)} already; choose another name`);
  }

  #step(check: (() => void) | undefined, run: (policy: LoraPolicy) => Promise<Outcome>): Step {
    return {
      prepare: () => {
        check?.();
        return async () => run(await this.#parts.policy);
      },
      skip: nothing,
    };
  }
}

/** @throws Refusal where there is no such checkpoint, or none with the optimiser's state; ModelError where it is damaged. */
export async function loadInto(
  policy: LoraPolicy,
  store: CheckpointStore,
  path: string,
  optimizer: boolean,
): Promise<void> {
  if (optimizer && readPath(path).kind !== 'weights') {
    throw new Refusal(`${path} has no optimiser state; load it without, or a checkpoint of save_weights`);
  }
  await store.read(path, (folder) => (optimizer ? policy.load(folder) : policy.loadAdapter(folder)));
}

const nothing = async (): Promise<void> => {};

const NO_STEP: AdamParams = { learningRate: 0, beta1: 0, beta2: 0, epsilon: 1, weightDecay: 0 };

function output({ loss, logprobs }: LossOutput): Outcome {
  const outputs = logprobs.map((values) => ({
    logprobs: { dtype: 'float32' as const, shape: [values.length], values },
  }));
  const bytes = encodeForwardBackwardOutput({ outputType: 'ArrayRecord', outputs, metrics: { 'loss:sum': loss } });
  return { kind: 'protobuf', bytes };
}

function adamParams(adam: WireAdam): AdamParams {
  return {
    learningRate: adam.learning_rate,
    beta1: adam.beta1,
    beta2: adam.beta2,
    epsilon: adam.eps,
    weightDecay: adam.weight_decay,
    ...(adam.grad_clip_norm === 0 ? {} : { clipNorm: adam.grad_clip_norm }),
  };
}
