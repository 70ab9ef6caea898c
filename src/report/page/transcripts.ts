import { type Behaviour, behaviourOf } from '../../results/metrics.ts';
import type { Transcript } from '../../results/results.ts';
import { formatCondition } from '../format.ts';
import { html, type Markup } from './markup.ts';

type Side = Transcript['before'];
type Turn = Side['turns'][number];
type Token = NonNullable<Turn['tokens']>[number];

/** The same problem before and after, one at a time; without scripts all of them one below the other. */
export function transcriptBrowser(transcripts: readonly Transcript[]): Markup {
  return html`<div id="transcripts">
<form class="controls" hidden>
<label>Behaviour <select name="behaviour"><option value="">all</option>${behaviourOptions(transcripts)}</select></label>
<label>Outcome <select name="outcome"><option value="">all</option>${outcomeOptions(transcripts)}</select></label>
<span class="step"><button type="button" name="previous" aria-label="previous transcript">←</button>
<output class="place"></output><button type="button" name="next" aria-label="next transcript">→</button></span>
</form>
${legend}
${transcripts.map(article)}
</div>`;
}

const outcomeWords = {
  mended: 'mended: wrong before, right after',
  kept: 'right before and after',
  failing: 'wrong before and after',
  broken: 'broken: right before, wrong after',
  wanted: 'as wanted',
  unwanted: 'not as wanted',
} as const;

/** Those that there are, with how many. */
function outcomeOptions(transcripts: readonly Transcript[]): Markup[] {
  const outcomes = transcripts.map(outcomeOf);
  const count = (outcome: string) => outcomes.filter((one) => one === outcome).length;
  return Object.entries(outcomeWords)
    .filter(([outcome]) => count(outcome) > 0)
    .map(([outcome, words]) => option([outcome, `${words} (${count(outcome)})`]));
}

/** In steps of the token's own probability: colour alone never says it, the number stands in the token's title. */
export const legend = html`<p class="legend"><span class="injected">put into the model’s mouth</span>
<span>the model’s own tokens, by probability:</span> <span class="tokens"><span class="t0">&gt; 0.9</span><span class="t1">&gt; 0.5</span><span class="t2">&gt; 0.2</span><span class="t3">&gt; 0.05</span><span class="t4">less</span></span> <output class="token"></output></p>`;

function behaviourOptions(transcripts: readonly Transcript[]): Markup[] {
  const present = [...new Set(transcripts.map(({ behaviour }) => behaviour))];
  return present.map((behaviour: Behaviour) => option([behaviour, behaviourOf(behaviour).title]));
}

function option([value, words]: readonly [string, string]): Markup {
  return html`<option value="${value}">${words}</option>`;
}

function article(transcript: Transcript): Markup {
  const { id, behaviour, condition, problem, before, after } = transcript;
  return html`<article data-behaviour="${behaviour}" data-outcome="${outcomeOf(transcript)}" id="transcript-${id}">
<h4>${behaviourOf(behaviour).title} <em>${formatCondition(condition)}</em></h4>${problem === before.turns[0]?.text ? undefined : html`<p class="problem">${problem}</p>`}
<div class="pair">${side('before', before)}${after ? side('after', after) : undefined}</div></article>
`;
}

function outcomeOf({ before, after }: Transcript): keyof typeof outcomeWords | '' {
  if (!after && before.outcome) return before.outcome.good ? 'wanted' : 'unwanted';
  if (!before.outcome || !after?.outcome) return '';
  if (after.outcome.good) return before.outcome.good ? 'kept' : 'mended';
  return before.outcome.good ? 'broken' : 'failing';
}

function side(name: string, { turns, outcome }: Side): Markup {
  const verdict = outcome
    ? html`<span class="verdict ${outcome.good ? 'better' : 'worse'}">${outcome.good ? '✓' : '✗'} ${outcome.text}</span>`
    : undefined;
  return html`<section><h5>${name} ${verdict}</h5>${conversation(turns)}</section>`;
}

/** Turn by turn, with what was put into the model’s mouth marked and its own tokens shaded. */
export function conversation(turns: readonly Turn[]): Markup[] {
  return groups(turns).map(turnBlock);
}

/** Adjacent turns of one role are one turn for the model: an injected prefix and what it wrote on from there. */
function groups(turns: readonly Turn[]): Turn[][] {
  const grouped: Turn[][] = [];
  for (const turn of turns) {
    const last = grouped.at(-1);
    if (last?.[0]?.role === turn.role) last.push(turn);
    else grouped.push([turn]);
  }
  return grouped;
}

function turnBlock(turns: readonly Turn[]): Markup {
  const { role } = turns[0]!; // groups are never empty
  return html`<div class="turn ${role}"><span class="role">${role}</span><p>${turns.map(span)}</p></div>`;
}

function span({ origin, text, tokens }: Turn): Markup {
  if (origin === 'injected') return html`<span class="injected">${text}</span>`;
  if (!tokens) return html`<span class="${origin}">${text}</span>`;
  return html`<span class="tokens">${tokens.map(tokenSpan)}</span>`;
}

function tokenSpan({ text, logprob, topLogprob }: Token): Markup {
  const probability = Math.exp(logprob);
  const surprise = topLogprob === undefined ? '' : `, surprise ${(1 - Math.exp(logprob - topLogprob)).toFixed(2)}`;
  const title = `p = ${probability.toFixed(3)}, logprob ${logprob.toFixed(2)}${surprise}`;
  return html`<span class="t${shade(probability)}" title="${title}">${text}</span>`;
}

/** 0 for what the model was sure of, 4 for what it hardly expected to write. */
function shade(probability: number): number {
  return [0.9, 0.5, 0.2, 0.05].filter((bound) => probability <= bound).length;
}
