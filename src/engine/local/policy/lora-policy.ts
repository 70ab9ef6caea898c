import { EngineError } from '../../../errors.ts';
import type { AdamParams, Sampler, StepMetrics } from '../../engine.ts';
import { mergedWeights } from '../compiler/adapter-graphs.ts';
import { readPeftFolder } from '../files/peft-folder.ts';
import { type AdapterState, readAdapterCheckpoint, writeAdapterCheckpoint } from '../files/policy-checkpoint.ts';
import {
  type Adapter,
  type AdapterShape,
  adaptedConfig,
  factorShapes,
  initialAdapter,
  MODULES,
  type Module,
  modulesOf,
} from '../model/adapter.ts';
import type { Model } from '../model/model.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { sharedFloats, type Weights, windows } from '../model/weights.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { LocalSampler } from '../sampling/local-sampler.ts';
import { adamStep, globalNorm, initialAdamState } from './adamw.ts';
import { GraphPolicy, WAY_OUT } from './graph-policy.ts';

/** As a Tinker service words it. */
export type LoraOptions = {
  readonly rank: number;
  readonly seed: number;
  /** Query, key, value and output projections. */
  readonly trainAttn: boolean;
  /** Gate, up and down projections. */
  readonly trainMlp: boolean;
  /** The output projection; a head that is tied to the embedding is untied first. */
  readonly trainUnembed: boolean;
  /** What `adapter_config.json` names as the base model: a folder, or a name on a hub. */
  readonly baseModel?: string | undefined;
};

/** The service's; a good learning rate then hardly depends on the rank. */
const ALPHA = 32;

/**
 * Low-rank adaptation (Hu et al. 2021): the optimiser moves the factors A and B of every adapted matrix, which stand
 * beside the frozen one in the graph. The base is shared by all policies that are made of it.
 */
export class LoraPolicy extends GraphPolicy {
  readonly #base: Weights;
  readonly #baseModel: string | undefined;
  #state: AdapterState;
  /** Whether a sampler, a save or a caller holds the state, so that it must not be changed in place. */
  #seen = false;

  /**
   * @param base must not change any more.
   * @throws EngineError where rank or modules leave nothing to train.
   */
  constructor(runtime: Runtime, base: Weights, options: LoraOptions) {
    const shape = shapeOf(options, base.config);
    const adapter = initialAdapter(adaptedConfig(base.config, shape), shape, options.seed);
    super(runtime, { weights: base, adapter });
    this.#base = base;
    this.#baseModel = options.baseModel;
    this.#state = { adapter, adam: initialAdamState(adapter.flat.length) };
  }

  /** How many numbers are trained. */
  get trained(): number {
    return this.#state.adapter.flat.length;
  }

  /** The adapter as it is: a snapshot. */
  adapter(): Promise<Adapter> {
    return this.inOrder(async () => this.#held().adapter);
  }

  weights(): Promise<Weights> {
    return this.inOrder(() => mergedWeights(this.runtime, this.#base, this.#state.adapter));
  }

  protected snapshot(): Promise<Sampler> {
    return LocalSampler.adapted(this.runtime, this.#base, this.#held().adapter);
  }

  protected async step(gradient: Float32Array, adam: AdamParams): Promise<StepMetrics> {
    const gradientNorm = globalNorm(gradient);
    if (!Number.isFinite(gradientNorm)) throw this.#refusal(gradient);
    this.#become(moved(this.#seen ? copyOf(this.#state) : this.#state, gradient, adam, gradientNorm));
    return { gradientNorm, step: this.#state.adam.step };
  }

  /** Writes the adapter as PEFT does, and the optimiser's state beside it. */
  async save(folder: string): Promise<void> {
    const state = await this.inOrder(async () => this.#held());
    await writeAdapterCheckpoint(folder, state, this.#baseModel);
  }

  /** @throws ModelError where the folder is damaged, has no optimiser state, or holds an adapter of another shape. */
  load(folder: string): Promise<void> {
    return this.startOver(async () => this.#become(await readAdapterCheckpoint(folder, this.#base, this.#shape)));
  }

  /** Any PEFT folder of this shape; the optimiser begins anew. @throws ModelError as {@link load}. */
  loadAdapter(folder: string): Promise<void> {
    return this.startOver(async () => {
      const adapter = await readPeftFolder(folder, this.#base, this.#shape);
      return this.#become({ adapter, adam: initialAdamState(adapter.flat.length) });
    });
  }

  get #shape(): AdapterShape {
    return this.#state.adapter.shape;
  }

  /** The state as it is, which from now on must stay so. */
  #held(): AdapterState {
    this.#seen = true;
    return this.#state;
  }

  #become(state: AdapterState): Model {
    this.#state = state;
    this.#seen = false;
    const model = { weights: this.#base, adapter: state.adapter };
    this.replaceModel(model);
    return model;
  }

  #refusal(gradient: Float32Array): EngineError {
    const broken = ({ data }: { readonly data: Float32Array }) => !Number.isFinite(globalNorm(data));
    const name = windows(gradient, factorShapes(this.config, this.#shape)).find(broken)?.name;
    return new EngineError(`the gradient of ${name ?? 'the adapter'} is not finite; ${WAY_OUT}`);
  }
}

/** What of a model such options adapt. */
export function shapeOf(options: LoraOptions, config: ModelConfig): AdapterShape {
  const wanted: readonly Module[] = [
    ...(options.trainAttn ? MODULES.attention : []),
    ...(options.trainMlp ? MODULES.mlp : []),
    ...(options.trainUnembed ? MODULES.unembedding : []),
  ];
  return { rank: options.rank, alpha: ALPHA, modules: modulesOf(config).filter((module) => wanted.includes(module)) };
}

function copyOf({ adapter, adam }: AdapterState): AdapterState {
  const flat = sharedFloats(adapter.flat.length);
  flat.set(adapter.flat);
  return { adapter: { ...adapter, flat }, adam: { ...adam, mean: adam.mean.slice(), square: adam.square.slice() } };
}

/** Changes the state; the adapter is a new version in the same memory. */
function moved({ adapter, adam }: AdapterState, slopes: Float32Array, params: AdamParams, norm: number): AdapterState {
  adamStep(adapter.flat, slopes, adam, params, norm);
  return { adapter: { ...adapter }, adam };
}
