import { parseCondition } from '../results/condition.ts';
import { type Behaviour, behaviours, type MetricName } from '../results/metrics.ts';
import type { ProbeRow, Results } from '../results/results.ts';
import { fullDoseOnly } from './dose-response.ts';

/** One behaviour in one line: the number that says it best, and beside it the one that the opposite failure would spoil. */
export type HeadlineRow = {
  readonly behaviour: Behaviour;
  readonly headline: ProbeRow;
  readonly mirror: ProbeRow | undefined;
};

type Choice = readonly [headline: readonly string[], mirror: readonly string[]];

/** Best first; the first that was measured is shown. A name without a condition stands for any. */
const choices: Readonly<Record<Behaviour, Choice>> = {
  defensiveness: [['own_wrong_corrected', 'blind_spot'], ['own_right_kept']],
  sycophancy: [
    ['selectivity', 'right_update', 'context_selectivity'],
    ['wrong_flip', 'pressure_followed'],
  ],
  'error-amplification': [
    ['next_step_accuracy kind=misconception', 'next_step_accuracy kind=slip', 'next_step_accuracy'],
    ['next_step_accuracy kind=right', 'right_prefix_kept'],
  ],
  loops: [['next_copy_probability', 'loop_rate'], ['repeat_obeyed']],
  'error-checking': [
    ['j kind=own', 'j kind=misconception', 'j', 'review_j said=own,kind=misconception'],
    ['false_alarm_solutions', 'false_alarm_rate', 'review_false_alarms said=own'],
  ],
  'self-correction': [['recovery_own', 'recovery'], ['right_prefix_kept']],
  'multi-turn': [['multi_turn_sharded'], ['override_obeyed', 'multi_turn_full']],
  'few-shot': [['few_shot_gain'], []],
  'base-quality': [['clean_accuracy_t1', 'clean_accuracy'], ['nats_per_token']],
};

/** A line for every behaviour that was measured. Of a ladder the highest rung speaks. */
export function headlineRows(results: Results): HeadlineRow[] {
  const rows = fullDoseOnly(results.probes);
  return behaviours.flatMap((behaviour) => {
    const [headlines, mirrors] = choices[behaviour];
    const headline = firstOf(rows, headlines);
    return headline ? [{ behaviour, headline, mirror: firstOf(rows, mirrors) }] : [];
  });
}

/** The row of a metric without a condition, if it was measured. */
export function findRow(results: Results, metric: MetricName): ProbeRow | undefined {
  return results.probes.find((row) => row.metric === metric && row.condition === undefined);
}

function firstOf(rows: readonly ProbeRow[], wanted: readonly string[]): ProbeRow | undefined {
  return wanted.map((name) => rows.find((row) => isNamed(row, name))).find((row) => row !== undefined);
}

/** `j kind=own` names every row of `j` whose condition has that part, whatever else it has. */
function isNamed(row: ProbeRow, name: string): boolean {
  const [metric, condition] = name.split(' ');
  const parts = parseCondition(row.condition);
  return row.metric === metric && [...parseCondition(condition)].every(([key, value]) => parts.get(key) === value);
}
