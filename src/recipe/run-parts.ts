import type { Ability } from '../engine/abilities.ts';
import type { Sampler } from '../engine/engine.ts';
import type { Prober, ProbeTarget } from '../probes/prober.ts';
import type { Easier } from '../problems/easier.ts';
import type { FamilyEntry } from '../problems/families.ts';
import type { ProblemFamily } from '../problems/problem-family.ts';
import type { StageContext, StageRegistry } from '../stages/stage.ts';
import type { BaseText } from '../texts/base-text.ts';
import type { LoraRecipe } from './recipe.ts';

/** What a model folder says of text. */
export type ModelText = Pick<StageContext, 'format'> & {
  /** The text that the model grew up on; undefined where the folder does not declare any. */
  readonly baseText: BaseText | undefined;
};

/** A model that was opened for a run: what a stage sees of it, and its size. */
export type Model = ModelText &
  Pick<StageContext, 'policy' | 'reference'> & {
    readonly parameters: number;
    /** What the engine has of what a stage may need; absent means all. */
    readonly can?: ReadonlySet<Ability> | undefined;
    /** Steps from one checkpoint to the next; absent means 1, after every step. */
    readonly saveEvery?: number | undefined;
    /** What was found out about the engine, for the record. */
    readonly findings?: readonly string[] | undefined;
    /** What is trained in the place of all parameters, if the recipe asks for it. */
    readonly adapter?: { readonly parameters: number; writePeft(folder: string): Promise<void> } | undefined;
  };

export type ModelOptions = {
  /** Random weights of the shape that the folder's config.json declares. */
  readonly fresh: boolean;
  readonly seed: number;
  /** Trains an adapter; absent means all weights. */
  readonly lora?: LoraRecipe | undefined;
};

/** What a run is put together from. The command line wires in the real ones, a test its own. */
export type RunParts = {
  readonly stages: StageRegistry;
  /** The families that a recipe can name. */
  readonly families: readonly FamilyEntry[];
  /** What measures on a family; `easier` is tried where hardly any of its problems is solved. */
  prober(family: ProblemFamily<unknown>, easier?: readonly Easier[]): Prober;
  /** Tokenizer, template and declared text alone. @throws ModelError when the folder does not hold them. */
  openText(folder: string): Promise<ModelText>;
  /** @throws ModelError when the folder does not hold a model. */
  openModel(folder: string, options: ModelOptions): Promise<Model>;
  /** What the probes see of a snapshot of this model. */
  probeTarget(name: string, sampler: Sampler, model: Model): ProbeTarget;
  /**
   * Writes the trained model as a Hugging Face folder, `source` lending tokenizer and template. `folder` does not exist.
   * @returns what a reader has to know: of the model, or why there is none and the folder is still not there.
   */
  exportModel(model: Model, source: string, folder: string): Promise<string | undefined>;
  /** Names and versions for `run.yaml`, the engine's among them. */
  readonly versions: Readonly<Record<string, string>>;
};
