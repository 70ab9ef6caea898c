import { metricOf } from '../results/metrics.ts';
import type { GateRow } from '../results/results.ts';
import { formatEstimate, formatValue, tellingDigits } from './format.ts';

const comparedWords = { low: 'lower limit', high: 'upper limit', value: 'value' } as const;

/** "lower limit ≥ 0.950": with the digits that show whether it was held. */
export function gateBar(gate: GateRow): string {
  const sign = gate.sense === 'at_least' ? '≥' : '≤';
  const { unit } = metricOf(gate.metric);
  return `${comparedWords[gate.compared]} ${sign} ${formatValue(gate.bar, unit, digitsOf(gate))}`;
}

/**
 * "0.893 [0.859, 0.920]", and what the interval is of where it is not the value's own.
 * @param short with a `*` for that, where there is little room.
 */
export function gateMeasured(gate: GateRow, short = false): string {
  const { metric, measured, low_or_high: number, reference } = gate;
  const { unit } = metricOf(metric);
  if (!measured) return formatValue(number, unit, digitsOf(gate));
  const from = short ? '*' : ` (change from ${reference})`;
  return `${formatEstimate(measured, unit, digitsOf(gate))}${reference === undefined ? '' : from}`;
}

const digitsOf = ({ metric, bar, low_or_high }: GateRow): number =>
  tellingDigits(bar, low_or_high, metricOf(metric).unit);

/** Says once what the intervals of some gates are of; undefined where none has another reference. */
export function referenceNote(gates: readonly GateRow[]): string | undefined {
  if (gates.every(({ reference }) => reference === undefined)) return undefined;
  return '* change from: the interval is that of the paired change from what the bar refers to, put at its value';
}

/** "11 of 12 gates held" */
export function gateCount(gates: readonly GateRow[]): string {
  return `${gates.filter((gate) => gate.held).length} of ${gates.length} gates held`;
}
