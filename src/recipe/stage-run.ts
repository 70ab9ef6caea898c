import { resolve } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { ZodType } from 'zod';
import type { ProblemFamily } from '../problems/problem-family.ts';
import { stream } from '../random.ts';
import type { Position } from '../record/checkpoints.ts';
import type { RunFolder } from '../record/run-folder.ts';
import type { Sizes } from '../stages/sizes.ts';
import type { StageContext } from '../stages/stage.ts';
import type { RecipeStage } from './load-recipe.ts';
import { Meter } from './meter.ts';
import { type Observer, throwIfInterrupted } from './observer.ts';
import { trainingSide } from './open-family.ts';
import type { Model } from './run-parts.ts';
import { scaleLearningRate } from './scale-learning-rate.ts';

export type StageSurroundings = {
  readonly folder: RunFolder;
  readonly model: Model;
  readonly family: ProblemFamily<unknown>;
  readonly sizes: Sizes;
  readonly recipeFolder: string;
  readonly watch: Observer;
  readonly signal: AbortSignal;
  /** The recipe's seed. */
  readonly seed: number;
  readonly learningRateFactor: number;
};

/**
 * Runs one stage from `start` on and leaves the checkpoint `after-<stage>`.
 * @throws Interrupted on Ctrl-C, with the last step's checkpoint in place.
 */
export async function runStage(stage: RecipeStage, start: Position, around: StageSurroundings): Promise<void> {
  const { folder, model } = around;
  const run = new StageRun(stage.name, start, around);
  try {
    await stage.stage.run(run.context());
  } finally {
    await run.settled();
  }
  // told before it is kept: killed in between, the stage finishes once more, with no step left to do
  await run.finished();
  await folder.checkpoints.writeStage(stage.name, start.stagesDone + 1, (path) => model.policy.save(path));
}

class StageRun {
  readonly #name: string;
  readonly #start: Position;
  readonly #around: StageSurroundings;
  readonly #memory: Record<string, string>;
  readonly #meter = new Meter();
  #since = performance.now();
  #saving: Promise<void> = Promise.resolve();

  constructor(name: string, start: Position, around: StageSurroundings) {
    this.#name = name;
    this.#start = start;
    this.#around = around;
    this.#memory = { ...start.memory };
  }

  context(): StageContext {
    const { model, family, sizes, recipeFolder, seed, folder, learningRateFactor } = this.#around;
    return {
      can: (ability) => model.can?.has(ability) ?? true,
      format: model.format,
      get family() {
        return trainingSide(family);
      },
      sizes,
      baseText: model.baseText,
      file: (path) => resolve(recipeFolder, path),
      policy: this.#meter.policy(scaleLearningRate(model.policy, learningRateFactor)),
      reference: this.#meter.sampler(model.reference),
      seed: stream(seed, 'stage', this.#name).integer(2 ** 31),
      firstStep: this.#start.stepsDone,
      step: (step, of, metrics) => this.#step(step, of, metrics),
      remember: async (name, value) => {
        this.#memory[name] = await folder.checkpoints.keep(value);
      },
      recall: (name, schema) => this.#recall(name, schema),
      doing: (what) => this.#doing(what),
    };
  }

  /**
   * The checkpoint is written while the next step is computed, and the step after that waits for it: killed at any
   * moment, a run loses at most the last finished step.
   */
  async #step(step: number, of: number, metrics: Readonly<Record<string, number>>): Promise<void> {
    const { folder, watch, signal, model } = this.#around;
    await this.#saving;
    const event = await folder.journal.append({
      kind: 'step',
      stage: this.#name,
      step,
      of,
      seconds: this.#lap(),
      tokens: this.#meter.read(),
      metrics: finiteOrNull(metrics),
    });
    folder.journal.sync();
    if ((step + 1) % (model.saveEvery ?? 1) === 0) this.#save(step + 1);
    watch.event(event);
    await turn(); // lets a Ctrl-C in even where a policy computes on this thread
    throwIfInterrupted(signal);
  }

  #save(stepsDone: number): void {
    const { folder, model } = this.#around;
    const position = { stagesDone: this.#start.stagesDone, stepsDone, memory: { ...this.#memory } };
    this.#saving = folder.checkpoints.writeStep(this.#name, position, (path) => model.policy.save(path));
    this.#saving.catch(() => {}); // thrown at the next step, or when the stage ends
  }

  async #recall<Value>(name: string, schema: ZodType<Value>): Promise<Value | undefined> {
    const file = this.#memory[name];
    return file === undefined ? undefined : schema.parse(await this.#around.folder.checkpoints.kept(file));
  }

  #doing(what: string): void {
    this.#around.watch.doing(what);
    throwIfInterrupted(this.#around.signal);
  }

  /** Waits for the last checkpoint. @throws RunError where it could not be written. */
  settled(): Promise<void> {
    return this.#saving;
  }

  async finished(): Promise<void> {
    const { folder, watch } = this.#around;
    const rest = { seconds: this.#lap(), tokens: this.#meter.read() };
    watch.event(await folder.journal.append({ kind: 'stage-finished', stage: this.#name, ...rest }));
  }

  /** Seconds since the last lap. */
  #lap(): number {
    const now = performance.now();
    const seconds = (now - this.#since) / 1000;
    this.#since = now;
    return seconds;
  }
}

/** JSON has no NaN; a metric that is not there yet is kept as null. */
function finiteOrNull(metrics: Readonly<Record<string, number>>): Record<string, number | null> {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [name, Number.isFinite(value) ? value : null]),
  );
}
