import { InputError } from '../errors.ts';
import type { ReadSample, ReadTurn } from '../record/inspect/read-sample.ts';
import { formatCount } from '../report/format.ts';
import { html, type Markup } from '../report/page/markup.ts';
import { conversation, legend } from '../report/page/transcripts.ts';
import { address, layout, way } from './layout.ts';
import type { Filter, LogIndex } from './log-index.ts';
import { outcomeWords } from './transcripts-page.ts';

/** One conversation, turn by turn; a damaged one says what is wrong with it. */
export async function transcriptPage(log: string, index: LogIndex, filter: Filter, at: number): Promise<string> {
  const entry = index.rows[at]?.entry;
  if (entry === undefined) throw new InputError(`${log}: has no transcript ${at}; go back to its list`);
  const sample = await index.log.sample(entry).catch((error: Error) => error);
  const title = entry.slice('samples/'.length, -'.json'.length);
  const list = html`<a href="${address('/transcripts', { log, ...filter })}">${log}</a>`;
  const content = sample instanceof Error ? html`<p class="error">✗ ${sample.message}</p>` : shown(sample);
  const { preview, behaviour, condition } = index.rows[at] ?? { preview: '', behaviour: '', condition: '' };
  const facts = [behaviour, condition, title].filter((fact) => fact !== '').join(' · ');
  const body = html`${way(list)}<p class="kicker">${facts}</p><h1 class="one">${preview || title}</h1>${neighbours(log, index, filter, at)}${content}`;
  return layout(title, body);
}

function shown({ epoch, turns, targets, scores, metadata, error }: ReadSample): Markup {
  const facts: readonly (readonly [string, string])[] = [
    ['trial', String(epoch)],
    ...targets.map((target) => ['target', target] as const),
    ...scores.map(
      ({ name, value, explanation }) => [name, [outcomeWords(value), explanation].filter(Boolean).join(': ')] as const,
    ),
    ...Object.entries(metadata).map(
      ([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)] as const,
    ),
  ];
  return html`${error === undefined ? undefined : html`<p class="error">✗ the program gave up: ${error}</p>`}
${legend}<article>${conversation(turns.flatMap(withReasoning))}</article>
<dl class="facts">${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

/** What the model thought stands before what it said. */
function withReasoning(turn: ReadTurn): Parameters<typeof conversation>[0] {
  const { role, text, origin, tokens, reasoning } = turn;
  const said = { role, text, origin, ...(tokens && { tokens }) };
  return reasoning === '' ? [said] : [{ role, origin, text: `⟨thinks⟩ ${reasoning}\n⟨says⟩ ` }, said];
}

function neighbours(log: string, index: LogIndex, filter: Filter, at: number): Markup {
  const fitting = index.fitting(filter);
  const place = fitting.indexOf(at);
  const to = (position: number | undefined, words: string, rel: string) =>
    position === undefined
      ? undefined
      : html`<a rel="${rel}" href="${address('/transcript', { log, ...filter, at: position })}">${words}</a>`;
  return html`<p class="pages">${to(fitting[place - 1], '← previous', 'prev')}<span>${formatCount(place + 1)} of ${formatCount(fitting.length)}</span>${to(fitting[place + 1], 'next →', 'next')}</p>`;
}
