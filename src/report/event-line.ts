import type { GateVerdict, RunEvent, StepEvent } from '../record/event.ts';
import { metricOf } from '../results/metrics.ts';
import { visibleData } from '../visible.ts';
import { formatSeconds, formatValue, rowTitle, tellingDigits } from './format.ts';
import { type Colors, terminalColors } from './paint.ts';

/** An event in words, one line; undefined for steps, which are a matter of progress. */
export function eventLine(given: RunEvent, paint: Colors = terminalColors()): string | undefined {
  const event = visibleData(given);
  switch (event.kind) {
    case 'step':
      return undefined;
    case 'run-started':
      return `run ${event.name}, seed ${event.seed}`;
    case 'run-resumed':
      return `goes on ${event.stage ? `with ${event.stage} from step ${event.step}` : 'after the last stage'}`;
    case 'probe-started':
      return `probe ${event.probe}`;
    case 'probe-finished':
      return `probe ${event.probe} done: ${event.rows} rows in ${formatSeconds(event.seconds)}`;
    case 'stage-started':
      return `stage ${event.stage}${event.step > 0 ? ` from step ${event.step}` : ''}`;
    case 'stage-finished':
      return `stage ${event.stage} done`;
    case 'stage-skipped':
      return `stage ${event.stage} left out: ${event.why}`;
    case 'gate':
      return gateLine(event, paint);
    case 'note':
      return event.text;
    case 'run-interrupted':
      return 'interrupted; everything is saved';
    case 'run-finished':
      return `done in ${formatSeconds(event.seconds)}`;
  }
}

function gateLine(gate: GateVerdict, paint: Colors): string {
  const { unit } = metricOf(gate.metric);
  const sign = gate.sense === 'at_least' ? '>=' : '<=';
  const digits = tellingDigits(gate.bar, gate.number, unit);
  const number = gate.measured ? formatValue(gate.number, unit, digits) : 'nothing to count';
  const verdict = gate.held ? paint.green('held') : paint.red('MISSED');
  const limit = gate.compared === 'value' ? '' : ` (${gate.compared} limit)`;
  return `gate after ${gate.after}: ${rowTitle(gate)} ${sign} ${formatValue(gate.bar, unit, digits)}: ${number}${limit} ${verdict}`;
}

/** The metrics that a reader follows, in this order. */
const FOLLOWED = ['loss', 'reward', 'j'] as const;

/** `loss 0.123  reward 0.81`, or the first metric of the step where it has none of these. */
export function followed({ metrics: values }: StepEvent): [name: string, value: number][] {
  const numbers = Object.entries(values).filter((entry): entry is [string, number] => entry[1] !== null);
  const known = numbers.filter(([name]) => FOLLOWED.some((one) => one === name));
  return known.length > 0 ? known : numbers.slice(0, 1);
}

export function shortNumber(value: number): string {
  return Math.abs(value) >= 1000 || value === 0 ? value.toFixed(0) : value.toPrecision(3);
}
