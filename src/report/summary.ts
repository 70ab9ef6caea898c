import { metricOf } from '../results/metrics.ts';
import type { ProbeRow, Results } from '../results/results.ts';
import { rowVerdict } from '../results/verdict.ts';
import { fullDoseOnly } from './dose-response.ts';
import { formatValue, rowTitle } from './format.ts';
import { gateCount } from './gate-text.ts';
import { findRow, headlineRows } from './headline-rows.ts';

/** What the run shows, in sentences that its own numbers hold up; what got worse is among them. */
export function summary(results: Results): string[] {
  return [blindSpotSentence(results), changedSentence(results), worseSentence(results), gateSentence(results)].filter(
    (sentence) => sentence !== undefined,
  );
}

function blindSpotSentence(results: Results): string | undefined {
  const own = findRow(results, 'own_wrong_corrected');
  const user = findRow(results, 'user_wrong_corrected');
  if (!own || !user) return undefined;
  const start = `Asked to check a wrong answer, the model corrected it in ${percent(user.before.value)} of problems when it stood in the user’s turn and in ${percent(own.before.value)} when the same bytes stood in its own`;
  if (!own.after || !user.after) return `${start}.`;
  return `${start}; afterwards in ${percent(user.after.value)} and ${percent(own.after.value)}.`;
}

function changedSentence(results: Results): string | undefined {
  const headlines = headlineRows(results).map(({ headline }) => headline);
  const paired = headlines.filter((row) => row.change && row.direction !== 'hold');
  if (paired.length === 0) return undefined;
  const better = paired.filter((row) => rowVerdict(row) === 'better').length;
  const many = better === paired.length ? `All ${better}` : `${better} of ${paired.length}`;
  return `${many} headline numbers that should change did so for the better: the interval of the change excludes zero.`;
}

function worseSentence(results: Results): string | undefined {
  const worse = fullDoseOnly(results.probes).filter((row) => ['worse', 'moved'].includes(rowVerdict(row) ?? ''));
  if (worse.length === 0) return undefined;
  return `It cost: ${worse.map(fromTo).join('; ')}.`;
}

function fromTo(row: ProbeRow): string {
  const { unit } = metricOf(row.metric);
  return `${inSentence(rowTitle(row))} ${formatValue(row.before.value, unit)} → ${formatValue(row.after!.value, unit)}`;
}

/** More missed gates than these stand in their table alone. */
const NAMED = 4;

function gateSentence({ gates }: Results): string | undefined {
  if (gates.length === 0) return undefined;
  const missed = gates
    .filter((gate) => !gate.held)
    .map((gate) => `${inSentence(rowTitle(gate))} after ${gate.after_stage}`);
  if (missed.length === 0) return `All ${gates.length} gates held.`;
  const more = missed.length > NAMED ? `; and ${missed.length - NAMED} more` : '';
  return `${gateCount(gates)}; missed: ${missed.slice(0, NAMED).join('; ')}${more}.`;
}

/** "Tokens per answer" begins small within a sentence, "J, expressed" does not. */
function inSentence(title: string): string {
  return title.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());
}

/** `99.8 %`; never rounded up to 100. */
function percent(share: number): string {
  const text = (Math.floor(share * 1000 + 1e-9) / 10).toFixed(1);
  return `${text.replace(/\.0$/, '')}\u00a0%`;
}
