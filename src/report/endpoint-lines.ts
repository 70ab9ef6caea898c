import { gateWords } from '../results/gate-words.ts';
import { behaviourOf, metricOf } from '../results/metrics.ts';
import type { EndpointUse, Results } from '../results/results.ts';
import { confounds } from './confounds.ts';
import { formatCount } from './format.ts';

/** What a self-test found, an ability a line. */
export function selfTestLines(findings: EndpointUse['self_test']): string[] {
  const names = Object.keys(findings);
  const width = Math.max(...names.map((name) => name.length));
  return Object.entries(findings).map(([name, { can, how }]) => {
    return `  ${name.replaceAll('_', ' ').padEnd(width)}  ${can ? 'yes' : 'no '}  ${how}`;
  });
}

/** What was not measured, by name, with the reason. */
export function skippedLines({ skipped = [] }: Pick<Results, 'skipped'>): string[] {
  return skipped.map((one) => `not measured: ${skippedName(one)} (${one.why})`);
}

/** `Loops`, or `P(next copy)` where a part of it was measured. */
export function skippedName({ behaviour, metric }: NonNullable<Results['skipped']>[number]): string {
  return metric === undefined ? behaviourOf(behaviour).title : metricOf(metric).title;
}

/**
 * What the competence gate saw, of families in words: how the replies came out, one of those that were not right where
 * fewer than half of the problems were solved, and what came of easier problems.
 */
export function competenceLines({ run: { problems = [] } }: Pick<Results, 'run'>): string[] {
  return problems.flatMap(({ family, shots, gate }) => {
    if (gate?.replies === undefined || family === 'running-sum') return [];
    const shown = gate.passed * 2 < gate.drawn ? gate.shown : undefined;
    const on = shots === undefined ? family : `${family}, ${shots} worked examples in front`;
    return [
      `competence on ${on}: ${gateWords(gate)}`,
      ...(shown ? [`  ${shown.outcome}, for example: ${JSON.stringify(shown.text)}`] : []),
      ...easierLines(gate, shots),
    ];
  });
}

type Gate = NonNullable<NonNullable<Results['run']['problems']>[number]['gate']>;

function easierLines({ easier, passed, drawn }: Gate, shots: number | undefined): string[] {
  if (easier !== undefined) {
    return easier.map((one) => `  with ${one.flags}: ${one.passed} of ${one.drawn} problems solved`);
  }
  if (passed * 4 >= drawn) return [];
  const examples = shots === undefined ? '--shots 3 shows worked examples, ' : '';
  return [`  easier: ${examples}--set sets the dials of \`unrut problems list\``];
}

const modeWords = {
  prefill: 'prefill: open turns gone on with',
  history: 'history: finished turns, asked to go on',
} as const;

/** What else could have made the numbers, a line each. */
export function confoundLines(results: Results): string[] {
  const all = confounds(results);
  const lines = all.map(({ behaviour, threat, state, how }, index) => {
    const title = behaviour === all[index - 1]?.behaviour ? '' : behaviourOf(behaviour).title;
    return `  ${title.padEnd(19)} ${state.padEnd(10)}  ${threat}: ${how}`;
  });
  return lines.length === 0 ? [] : ['what else could have made the numbers', ...lines];
}

/** What the replies of an endpoint cost, and how they were asked for. */
export function endpointLines({ run: { endpoint } }: Pick<Results, 'run'>): string[] {
  if (!endpoint) return [];
  const { mode, replies, cached, retries, prompt_tokens, completion_tokens } = endpoint;
  const tokens = `${formatCount(prompt_tokens)} + ${formatCount(completion_tokens)} tokens`;
  const again = `${formatCount(cached)} found again, ${formatCount(retries)} retries`;
  return [
    `${modeWords[mode]}; ${formatCount(replies)} replies, ${tokens}, ${costText(endpoint)}; ${again}${oddities(endpoint)}`,
  ];
}

function costText({ cost_usd, prices }: EndpointUse): string {
  return cost_usd === undefined ? 'price unknown' : `${cost_usd.toFixed(4)} USD (${prices})`;
}

function oddities({ empty_replies, refused_replies, first_refusal, lost_requests }: EndpointUse): string {
  const empty = empty_replies > 0 ? `; ${formatCount(empty_replies)} empty replies` : '';
  const lost = lost_requests > 0 ? `; ${formatCount(lost_requests)} requests broke off and may have been charged` : '';
  const refused = refused_replies > 0 ? `; ${formatCount(refused_replies)} refused (at first: ${first_refusal})` : '';
  return empty + refused + lost;
}
