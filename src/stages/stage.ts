import type { output, ZodObject, ZodType } from 'zod';
import type { LessonFormat } from '../chat/lesson.ts';
import type { Ability } from '../engine/abilities.ts';
import type { Cost } from '../engine/cost.ts';
import type { Policy, Sampler } from '../engine/engine.ts';
import type { BaseText } from '../texts/base-text.ts';
import type { TrainingFamily } from '../wrong-turns/draw-start.ts';
import type { Sizes } from './sizes.ts';

/** What a stage asks of an engine beyond what each one has, and what becomes of it elsewhere. */
export type Need = {
  /** All of them are needed. */
  readonly abilities: readonly Ability[];
  /** The part of the stage that needs them: "replay". */
  readonly what: string;
  /** What the stage does where one of them is missing; absent means that it cannot be run there. */
  readonly instead?: string;
};

/** A stage that learns from what it samples itself. */
export const SAMPLES: Need = { abilities: ['sampling'], what: 'samples of its own' };

/**
 * What a running stage sees of the run.
 *
 * **Resume.** A run that was killed goes on from its last checkpoint as if nothing had happened, to the same bytes. That
 * holds when everything a stage does from step k on is a function of (seed, k, weights, optimiser state, remembered
 * values): draw from `stream(seed, ..., k)`, start the loop at `firstStep`, and `remember` whatever else has to outlive
 * a step, such as a pool of samples that is refreshed every 20 steps.
 *
 * ```ts
 * for (let step = context.firstStep; step < options.steps; step++) {
 *   const batch = draw(stream(context.seed, 'batch', step));
 *   const { loss } = await context.policy.forwardBackward(batch, { kind: 'cross_entropy' });
 *   await context.policy.optimStep(adam);
 *   await context.step(step, options.steps, { loss });
 * }
 * ```
 */
export type StageContext = {
  /** The model in training. */
  readonly policy: Policy;
  /** The frozen model that the recipe started from: teacher, and anchor of every KL. */
  readonly reference: Sampler;
  /** Whether the engine has what a {@link Need} of the stage names. */
  can(ability: Ability): boolean;
  /** Tokenizer and template. */
  readonly format: LessonFormat;
  /** What the run trains and measures on. Throws InputError where it has no training side. */
  readonly family: TrainingFamily;
  /** What the family's texts come to in the model's tokens. */
  readonly sizes: Sizes;
  /** The text that the model's folder declares it grew up on, if it does. */
  readonly baseText: BaseText | undefined;
  /** The path of a file that the recipe names: a relative one starts at the recipe's folder. */
  file(path: string): string;
  /** This stage's own seed, made from the recipe's seed and the stage's name: other stages' switches do not move it. */
  readonly seed: number;
  /** The first step to do: 0 on a fresh start, k after a resume from the checkpoint taken after step k - 1. */
  readonly firstStep: number;
  /**
   * Call after every `optimStep`: journals the metrics, writes a checkpoint, moves the progress bar.
   * `step` counts from 0. Well-known metrics are `loss` (nats per token), `reward` and `j`; others are kept as well.
   * Throws {@link Interrupted} when the user pressed Ctrl-C; let it pass through.
   */
  step(step: number, totalSteps: number, metrics: Readonly<Record<string, number>>): Promise<void>;
  /** Keeps a JSON value with the checkpoints from the next `step` on. Costs a file write when called, nothing per step. */
  remember(name: string, value: unknown): Promise<void>;
  /** The last remembered value of this stage as of `firstStep`, checked by `schema`; undefined if there was none. */
  recall<Value>(name: string, schema: ZodType<Value>): Promise<Value | undefined>;
  /** Tells the user what happens between steps: "samples 400 own solutions". */
  doing(what: string): void;
};

/** One remedy. Write it with {@link defineStage} so that its options are typed. */
export type Stage<Options extends ZodObject> = {
  /** The word that a recipe uses. */
  readonly name: string;
  /** One line for `--help` and the report: what it teaches and why. */
  readonly summary: string;
  /** A `z.strictObject`, with defaults wherever there is a good one. */
  readonly options: Options;
  cost(options: output<Options>, sizes: Sizes): Cost;
  /** Absent: nothing beyond what every engine has. */
  needs?(options: output<Options>): readonly Need[];
  /** Makes the model able: the run's "before" is measured behind it, and the reference of what follows is its outcome. */
  readonly prepares?: true;
  /** A sample of what it trains on, for the dry run. @throws InputError where a file is not what it should be. */
  preview?(preview: Preview, options: output<Options>): Promise<string>;
  run(context: StageContext, options: output<Options>): Promise<void>;
};

/** What a stage can show without a run. */
export type Preview = Pick<StageContext, 'format' | 'file'>;

/** A stage whose options were checked, ready to run. */
export type ReadyStage = {
  readonly options: unknown;
  cost(sizes: Sizes): Cost;
  readonly needs: readonly Need[];
  readonly prepares: boolean;
  preview?: ((preview: Preview) => Promise<string>) | undefined;
  run(context: StageContext): Promise<void>;
};

/** A stage with its option type put away, so that stages of all kinds lie in one registry. */
export type AnyStage = {
  readonly name: string;
  readonly summary: string;
  readonly options: ZodObject;
  /** @throws ZodError when the options do not fit. */
  ready(options: unknown): ReadyStage;
};

/** Stages by name; a recipe can use what is in here. */
export type StageRegistry = ReadonlyMap<string, AnyStage>;

/** Makes a stage ready for a registry. */
export function defineStage<Options extends ZodObject>(stage: Stage<Options>): AnyStage {
  return {
    name: stage.name,
    summary: stage.summary,
    options: stage.options,
    ready(raw) {
      const options = stage.options.parse(raw);
      return {
        options,
        cost: (sizes) => stage.cost(options, sizes),
        needs: stage.needs?.(options) ?? [],
        prepares: stage.prepares ?? false,
        preview: stage.preview && ((preview) => stage.preview!(preview, options)), // just seen to be there
        run: (context) => stage.run(context, options),
      };
    },
  };
}

export function stageRegistry(stages: readonly AnyStage[]): StageRegistry {
  return new Map(stages.map((stage) => [stage.name, stage]));
}
