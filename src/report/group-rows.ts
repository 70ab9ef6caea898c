import type { ProbeRow } from '../results/results.ts';
import { seriesOf } from './dose-response.ts';

/** Rows of one metric next to each other, and within it those of one ladder, in the order in which they come up. */
export function byMetric(rows: readonly ProbeRow[]): ProbeRow[] {
  return gathered(rows, ({ metric }) => metric).flatMap((its) => gathered(its, seriesOf).flat());
}

function gathered(rows: readonly ProbeRow[], key: (row: ProbeRow) => string): ProbeRow[][] {
  const keys = [...new Set(rows.map(key))];
  return keys.map((one) => rows.filter((row) => key(row) === one));
}
