import { metrics } from '../record/metrics.ts';
import type { GateRow } from '../record/results.ts';
import { formatValue } from './format.ts';

const comparedWords = { low: 'lower limit', high: 'upper limit', value: 'value' } as const;

/** "lower limit ≥ 0.950" */
export function gateBar(gate: GateRow): string {
  const sign = gate.sense === 'at_least' ? '≥' : '≤';
  return `${comparedWords[gate.compared]} ${sign} ${formatValue(gate.bar, metrics[gate.metric].unit)}`;
}

/** "11 of 12 gates held" */
export function gateCount(gates: readonly GateRow[]): string {
  return `${gates.filter((gate) => gate.held).length} of ${gates.length} gates held`;
}
