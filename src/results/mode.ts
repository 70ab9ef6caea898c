import { behaviourOf, type MetricName, metricOf } from './metrics.ts';

/**
 * How a model is made to continue work that was put into its mouth:
 * - `prefill`: its turn is left open, and it writes on token by token,
 * - `history`: the work stands as a finished turn of its own, and the user asks it to continue.
 * These are two different counterfactuals: a finished turn is something said, an open one is still being said. Rows of the
 * second kind carry `mode=history`, so that no comparison pairs the two.
 */
export type Mode = 'prefill' | 'history';

/** Whether a number depends on how the model is made to continue its own work. */
export const dependsOnMode = (metric: MetricName): boolean =>
  behaviourOf(metricOf(metric).behaviour).openTurn?.includes(metric) ?? false;
