import type { Behaviour, MetricName } from './metrics.ts';

/**
 * How a model is made to go on from work that is put into its mouth:
 * - `prefill`: its turn is left open and it writes on, token after token,
 * - `history`: the work stands as a finished turn of its own, and the user asks it to go on.
 * Both are counterfactuals, and they are not the same one: a finished turn is something said, an open one something in
 * the middle of being said. Rows of the second kind carry `mode=history`, so that no comparison pairs the two.
 */
export type Mode = 'prefill' | 'history';

/** The metrics that are measured by what the model writes on behind its own work. */
export const ON_OPEN_TURN: Partial<Record<Behaviour, readonly MetricName[]>> = {
  'error-amplification': ['next_step_accuracy'],
  loops: ['next_copy_probability'],
  'error-checking': ['hit_rate', 'false_alarm_rate', 'false_alarm_solutions', 'j'],
  'self-correction': ['recovery', 'recovery_own', 'right_prefix_kept'],
};

/** Whether a number depends on how the model is made to go on from its own work. */
export const hangsOnMode = (metric: MetricName): boolean =>
  Object.values(ON_OPEN_TURN).some((metrics) => metrics.includes(metric));
