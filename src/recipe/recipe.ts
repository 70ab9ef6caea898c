import { z } from 'zod';
import { conditionPattern } from '../results/condition.ts';
import { behaviourName, behaviours, metricName, metricOf } from '../results/metrics.ts';
import type { AnyStage, StageRegistry } from '../stages/stage.ts';
import { barSchema } from './bar.ts';
import { familySchema } from './family-choice.ts';
import { nearest } from './nearest.ts';

/** `after: end` is held against the probe at the end of the recipe, whichever stage is the last. */
export const END = 'end';

const id = z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be lower-case letters, digits and hyphens');

const gateSchema = z.strictObject({
  /** A stage of the recipe, or `end`. The gate of a stage that is off is passed over. */
  after: id,
  metric: metricName,
  /** `kind=misconception,dose=4`; none for the metric's headline row. */
  condition: z.string().regex(conditionPattern, 'must be written key=value,key=value').optional(),
  atLeast: barSchema.optional(),
  atMost: barSchema.optional(),
  /** Which number must clear the bar; absent means the confidence limit that is nearer to failing. */
  on: z.enum(['low', 'high', 'value']).optional(),
  /** What a missed bar does: `stop` leaves out the stages that follow, `report` goes on. */
  otherwise: z.enum(['stop', 'report']).default('stop'),
});
export type Gate = z.infer<typeof gateSchema>;

const probesSchema = z.strictObject({
  /** Problems per cell. */
  problems: z.int().min(1).max(100_000).default(400),
  behaviours: z
    .array(behaviourName)
    .min(1)
    .default(() => [...behaviours()]),
  seed: z.int().min(0).default(1),
});

/** Trains a LoRA in the place of all weights; what a Tinker service is asked for in the same words. */
const loraSchema = z.strictObject({
  rank: z.int().min(1).max(4096).default(32),
  /** Which matrices: query, key, value and output; gate, up and down; the output projection. */
  trainAttn: z.boolean().default(true),
  trainMlp: z.boolean().default(true),
  trainUnembed: z.boolean().default(true),
  /** Multiplies every learning rate of the recipe: they are for full fine-tuning, and a LoRA wants more. */
  learningRateFactor: z.number().positive().max(1000).default(5),
});
export type LoraRecipe = z.infer<typeof loraSchema>;

/** What every entry of `stages` has beside the options of its stage. */
const entryShape = {
  /** Tells two uses of one stage apart; the stage's name by default. */
  as: id.optional(),
  /** Leaves the stage out: an ablation is one line. */
  off: z.boolean().default(false),
};

function entrySchema(stage: AnyStage) {
  return z.strictObject({ stage: z.literal(stage.name), ...entryShape, ...stage.options.shape });
}

function plainSchema(registry: StageRegistry) {
  const [first, ...others] = [...registry.values()].map(entrySchema);
  if (!first) throw new Error('a recipe schema needs at least one stage');
  return z.strictObject({
    name: id,
    seed: z.int().min(0).default(1),
    /** A Hugging Face folder; a relative path starts at the recipe's own folder. */
    model: z.string().min(1),
    /** Random weights of the shape that the folder's config.json declares, for training from scratch. */
    fresh: z.boolean().default(false),
    lora: loraSchema.optional(),
    /** What the run trains and measures on; absent: the organism's own for the organism, else the default one. */
    family: familySchema.optional(),
    probes: probesSchema.prefault({}),
    stages: z.array(z.discriminatedUnion('stage', [first, ...others])).min(1),
    gates: z.array(gateSchema).default([]),
  });
}

/** A recipe with every default filled in: what `run.yaml` keeps and `--dry-run` prints. */
export type ResolvedRecipe = z.infer<ReturnType<typeof plainSchema>>;

/** The schema of a recipe that may use these stages. */
export function recipeSchema(registry: StageRegistry) {
  return plainSchema(registry).superRefine(checkNames).superRefine(checkGates).superRefine(checkLora);
}

type Context = z.RefinementCtx;

export function entryName(entry: { readonly stage: string; readonly as?: string | undefined }): string {
  return entry.as ?? entry.stage;
}

function checkNames(recipe: ResolvedRecipe, context: Context): void {
  const names = recipe.stages.map(entryName);
  names.forEach((name, index) => {
    const path = ['stages', index];
    if (name === END) context.addIssue({ code: 'custom', path, message: `"${END}" is not free as a name` });
    if (names.indexOf(name) < index) {
      const message = `"${name}" is used twice; give one of them another name with "as"`;
      context.addIssue({ code: 'custom', path, message });
    }
  });
}

function checkLora({ fresh, lora }: ResolvedRecipe, context: Context): void {
  if (!fresh || lora === undefined) return;
  const message = 'goes with a model that knows something; leave out either fresh or lora';
  context.addIssue({ code: 'custom', path: ['lora'], message });
}

function checkGates(recipe: ResolvedRecipe, context: Context): void {
  const names = [...recipe.stages.map(entryName), END];
  recipe.gates.forEach((gate, index) => {
    const report = (key: string[], message: string) =>
      context.addIssue({ code: 'custom', path: ['gates', index, ...key], message });
    if (!names.includes(gate.after))
      report(['after'], `no stage is called "${gate.after}"${nearest(gate.after, names)}`);
    if ((gate.atLeast === undefined) === (gate.atMost === undefined)) report([], 'needs one of atLeast and atMost');
    const bar = gate.atLeast ?? gate.atMost;
    if (recipe.fresh && String(bar).startsWith('before')) report([], 'a model from scratch has no "before"');
  });
  checkMeasured(recipe, context);
}

/** One fault however many gates have it: to measure a part is one wish. */
function checkMeasured({ gates, probes }: ResolvedRecipe, context: Context): void {
  const missing = gates
    .map(({ metric }) => metricOf(metric).behaviour)
    .filter((one) => !probes.behaviours.includes(one));
  if (missing.length === 0) return;
  const which = [...new Set(missing)].join(', ');
  const message = `leaves out ${which}, which ${missing.length} of ${gates.length} gates need; add them, or run without gates: --set gates=[]`;
  context.addIssue({ code: 'custom', path: ['probes', 'behaviours'], message });
}
