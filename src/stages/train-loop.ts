import type { Datum, Loss } from '../engine/engine.ts';
import { adamAt, type OptimiserOptions } from './optimiser.ts';
import type { StageContext } from './stage.ts';

/** What one optimiser step learns from: several losses may share it. */
export type Portion = { readonly name: string; readonly data: readonly Datum[]; readonly loss: Loss };

export type Batch = {
  readonly portions: readonly Portion[];
  /** Beside the losses, which are recorded under their portions' names. */
  readonly metrics?: Readonly<Record<string, number>>;
};

/** The one loop over optimiser steps: every stage says what a step learns from, and nothing else; undefined ends it early. */
export async function trainLoop(
  context: StageContext,
  options: OptimiserOptions,
  batchAt: (step: number) => Promise<Batch | undefined>,
): Promise<void> {
  for (let step = context.firstStep; step < options.steps; step++) {
    const batch = await batchAt(step);
    if (batch === undefined) return;
    const { portions, metrics } = batch;
    const filled = portions.filter(({ data }) => data.length > 0);
    // handed in together: an engine that is far away is not waited for in between
    const passes = Promise.all(filled.map(({ data, loss }) => context.policy.forwardBackward(data, loss)));
    const [losses, { gradientNorm }] = await Promise.all([passes, context.policy.optimStep(adamAt(step, options))]);
    const named = Object.fromEntries(filled.map(({ name }, index) => [name, losses[index]!.loss]));
    await context.step(step, options.steps, { ...named, ...metrics, gradientNorm });
  }
}
