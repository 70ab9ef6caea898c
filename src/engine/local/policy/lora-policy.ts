import { EngineError } from '../../../errors.ts';
import type { AdamParams, StepMetrics } from '../../engine.ts';
import { adapterGradient, mergedWeights } from '../compiler/adapter-graphs.ts';
import { readPeftFolder } from '../files/peft-folder.ts';
import { type AdapterState, readAdapterCheckpoint, writeAdapterCheckpoint } from '../files/policy-checkpoint.ts';
import {
  type Adapter,
  type AdapterShape,
  baseFor,
  factorShapes,
  initialAdapter,
  type Module,
} from '../model/adapter.ts';
import { type Weights, windows } from '../model/weights.ts';
import type { Runtime } from '../runtime/runtime.ts';
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
 * Low-rank adaptation (Hu et al. 2021): the optimiser moves the factors A and B of every adapted matrix, and the graphs
 * read W + alpha / rank B A, put together once a step. The base is shared by all policies that are made of it.
 */
export class LoraPolicy extends GraphPolicy {
  readonly #base: Weights;
  readonly #baseModel: string | undefined;
  /** Never changed in place: a save may still be writing it. */
  #state: AdapterState;

  /**
   * @param base must not change any more.
   * @throws EngineError where rank or modules leave nothing to train.
   */
  constructor(runtime: Runtime, base: Weights, options: LoraOptions) {
    const shape = shapeOf(options);
    const frozen = baseFor(base, shape);
    super(runtime, frozen);
    const adapter = initialAdapter(frozen.config, shape, options.seed);
    this.#base = frozen;
    this.#baseModel = options.baseModel;
    this.#state = { adapter, adam: initialAdamState(adapter.flat.length) };
  }

  /** How many numbers are trained. */
  get trained(): number {
    return this.#state.adapter.flat.length;
  }

  /** The adapter as it is: a snapshot. */
  adapter(): Promise<Adapter> {
    return this.inOrder(async () => this.#state.adapter);
  }

  protected async step(gradient: Float32Array, adam: AdamParams): Promise<StepMetrics> {
    const slopes = await adapterGradient(this.runtime, this.#state.adapter, gradient);
    const gradientNorm = globalNorm(slopes);
    if (!Number.isFinite(gradientNorm)) throw this.#refusal(slopes);
    const next = moved(this.#state, slopes, adam, gradientNorm);
    this.replaceWeights(await mergedWeights(this.runtime, this.#base, next.adapter));
    this.#state = next;
    return { gradientNorm, step: next.adam.step };
  }

  /** Writes the adapter as PEFT does, and the optimiser's state beside it. */
  async save(folder: string): Promise<void> {
    const state = await this.inOrder(async () => this.#state);
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

  async #become(state: AdapterState): Promise<Weights> {
    const weights = await mergedWeights(this.runtime, this.#base, state.adapter);
    this.#state = state;
    return weights;
  }

  #refusal(slopes: Float32Array): EngineError {
    const broken = ({ data }: { readonly data: Float32Array }) => !Number.isFinite(globalNorm(data));
    const name = windows(slopes, factorShapes(this.config, this.#shape)).find(broken)?.name;
    return new EngineError(`the gradient of ${name ?? 'the adapter'} is not finite; ${WAY_OUT}`);
  }
}

/** What of a model such options adapt. */
export function shapeOf({ rank, trainAttn, trainMlp, trainUnembed }: LoraOptions): AdapterShape {
  const attention: readonly Module[] = trainAttn ? ['q_proj', 'k_proj', 'v_proj', 'o_proj'] : [];
  const mlp: readonly Module[] = trainMlp ? ['gate_proj', 'up_proj', 'down_proj'] : [];
  const unembedding: readonly Module[] = trainUnembed ? ['lm_head'] : [];
  return { rank, alpha: ALPHA, modules: [...attention, ...mlp, ...unembedding] };
}

function moved({ adapter, adam }: AdapterState, slopes: Float32Array, params: AdamParams, norm: number): AdapterState {
  const flat = adapter.flat.slice();
  const next = { mean: adam.mean.slice(), square: adam.square.slice(), step: adam.step };
  adamStep(flat, slopes, next, params, norm);
  return { adapter: { ...adapter, flat }, adam: next };
}
