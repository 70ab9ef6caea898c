import { z } from 'zod';
import type { AdamParams } from '../engine/engine.ts';

/** The options of AdamW that every stage has. */
export const optimiserOptions = {
  steps: z.int().positive().max(10_000_000),
  /** AdamW moves every weight by about this much a step: weights are of the order of 0.01 to 1. */
  learningRate: z.number().positive().max(0.1),
  /** Steps of linear rise from 0. */
  warmup: z.int().nonnegative().max(10_000_000).default(20),
  /** Share of the steps after which the rate falls linearly... */
  hold: z.number().min(0).max(1).default(0.5),
  /** ...to this share of itself. */
  floor: z.number().min(0).max(1).default(0.03),
};

export type OptimiserOptions = {
  readonly steps: number;
  readonly learningRate: number;
  readonly warmup: number;
  readonly hold: number;
  readonly floor: number;
};

/** AdamW for this step: warm-up, constant, then a linear fall. */
export function adamAt(step: number, options: OptimiserOptions): AdamParams {
  const rise = Math.min(1, (step + 1) / Math.max(1, options.warmup));
  const left = (options.steps - step) / Math.max(1, options.steps * (1 - options.hold));
  const learningRate = options.learningRate * rise * Math.max(options.floor, Math.min(1, left));
  return { learningRate, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0, clipNorm: 1 };
}
