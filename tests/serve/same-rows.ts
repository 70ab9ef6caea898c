import { expect } from 'vitest';
import { rowKey } from '../../src/results/condition.ts';
import { estimateRow } from '../../src/results/estimate-row.ts';
import type { ProbeReport, ProbeRow } from '../../src/results/probe-report.ts';

/** Rows that hang on what was drawn: another server draws otherwise from the same seed. */
const isDrawn = ({ metric, condition = '' }: ProbeRow): boolean =>
  /temperature=|kind=own|quantile=/.test(condition) || metric === 'recovery_own' || metric === 'clean_accuracy_t1';

/**
 * Holds two measurements of one model against each other: what is greedy or read off logprobs has to be the same problem by
 * problem, what was drawn has to agree within its intervals.
 * @returns how many rows of each kind were compared.
 */
export function expectSameRows(one: ProbeReport, other: ProbeReport) {
  const others = new Map(other.rows.map((row) => [rowKey(row), row]));
  const count = { equal: 0, within: 0 };
  for (const row of one.rows) {
    const twin = others.get(rowKey(row));
    if (!twin || row.outcomes.length === 0 || twin.outcomes.length === 0) continue;
    if (isDrawn(row)) {
      expectWithin(row, twin);
      count.within++;
    } else {
      expectEqual(row, twin);
      count.equal++;
    }
  }
  return count;
}

/** Problem by problem, on those that passed the competence gate of both, which is drawn. */
function expectEqual(row: ProbeRow, twin: ProbeRow): void {
  const theirs = new Map(twin.outcomes.map((outcome) => [outcome.problem, outcome]));
  const common = row.outcomes.filter(({ problem }) => theirs.has(problem));
  expect(common.length).toBeGreaterThanOrEqual(0.7 * row.outcomes.length);
  for (const { problem, numerator, denominator } of common) {
    const same = theirs.get(problem)!; // filtered just above
    expect([rowKey(row), problem, same.denominator]).toEqual([rowKey(row), problem, denominator]);
    expect(Math.abs(same.numerator - numerator), `${rowKey(row)} of ${problem}`).toBeLessThan(1e-4);
  }
}

function expectWithin(row: ProbeRow, twin: ProbeRow): void {
  const [mine, theirs] = [estimateRow(row), estimateRow(twin)];
  if (!mine || !theirs) return;
  const name = `${rowKey(row)}: ${mine.value} [${mine.low}, ${mine.high}], ${theirs.value} [${theirs.low}, ${theirs.high}]`;
  expect(mine.low <= theirs.high && theirs.low <= mine.high, name).toBe(true);
}
