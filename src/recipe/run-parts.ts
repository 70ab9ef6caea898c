import type { Policy, Sampler } from '../engine/engine.ts';
import type { Prober, ProbeTarget } from '../probes/prober.ts';
import type { StageFormat, StageRegistry } from '../stages/stage.ts';

/** A model that was opened for a run. */
export type OpenModel = {
  readonly policy: Policy;
  readonly format: StageFormat;
  readonly parameters: number;
};

export type ModelOptions = {
  /** Random weights of the shape that the folder's config.json declares. */
  readonly fresh: boolean;
  readonly seed: number;
};

/** What a run is put together from. The command line wires in the real ones, a test its own. */
export type RunParts = {
  readonly stages: StageRegistry;
  readonly prober: Prober;
  /** @throws ModelError when the folder does not hold a model. */
  openModel(folder: string, options: ModelOptions): Promise<OpenModel>;
  /** What the probes see of a snapshot. */
  probeTarget(name: string, sampler: Sampler, format: StageFormat): ProbeTarget;
  /**
   * Writes the trained model as a Hugging Face folder, `source` lending tokenizer and template. `folder` does not exist.
   */
  exportModel(model: OpenModel, source: string, folder: string): Promise<void>;
  /** Names and versions for `run.yaml`, the engine's among them. */
  readonly versions: Readonly<Record<string, string>>;
};
