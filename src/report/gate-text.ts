import { metricOf } from '../results/metrics.ts';
import type { GateRow } from '../results/results.ts';
import { formatEstimate, formatValue } from './format.ts';

const comparedWords = { low: 'lower limit', high: 'upper limit', value: 'value' } as const;

/** "lower limit ≥ 0.950" */
export function gateBar(gate: GateRow): string {
  const sign = gate.sense === 'at_least' ? '≥' : '≤';
  return `${comparedWords[gate.compared]} ${sign} ${formatValue(gate.bar, metricOf(gate.metric).unit)}`;
}

/** "0.893 [0.859, 0.920]" */
export function gateMeasured({ metric, measured, low_or_high: number }: GateRow): string {
  const { unit } = metricOf(metric);
  return measured ? formatEstimate(measured, unit) : formatValue(number, unit);
}

/** "11 of 12 gates held" */
export function gateCount(gates: readonly GateRow[]): string {
  return `${gates.filter((gate) => gate.held).length} of ${gates.length} gates held`;
}
