import { lookUp } from '../look-up.ts';
import { formatCount } from '../report/format.ts';
import { html, type Markup } from '../report/page/markup.ts';
import { address, layout, way } from './layout.ts';
import { type Filter, type IndexRow, type LogIndex, PAGE, type Page } from './log-index.ts';

const outcomeSigns: Readonly<Record<string, string>> = {
  C: '✓ as wanted',
  I: '✗ not as wanted',
  error: '✗ error',
  '': 'not scored',
};

/** A value of the log in words: `C` and `I` are Inspect's for correct and incorrect. */
export function outcomeWords(outcome: string): string {
  return lookUp(outcomeSigns, outcome) ?? outcome;
}

/** A page of a log's transcripts, with the search above it. */
export function transcriptsPage(path: string, index: LogIndex, filter: Filter, from: number, page: Page): string {
  const { header, headerFault } = index.log;
  const fault =
    headerFault &&
    html`<p class="error">✗ ${headerFault.entry} is damaged (${headerFault.why}); the samples are shown all the same.</p>`;
  const unfinished =
    header.status === 'success'
      ? undefined
      : html`<p class="error">This log did not finish: ${header.status}. ${header.error?.message}</p>`;
  const body = html`${way()}<p class="kicker">${path} · ${header.eval.model.replace(/^none\//, '')}</p><h1>${header.eval.task}</h1>${fault}${unfinished}
${searchForm(path, index, filter)}${placeLine(path, filter, from, page)}
${page.damaged.map((message) => html`<p class="error">✗ left out: ${message}</p>`)}
<table class="list samples"><tbody>${page.rows.map((found) => sampleRow(path, filter, found))}</tbody></table>
${page.rows.length > 12 ? placeLine(path, filter, from, page) : undefined}`;
  return layout(`Transcripts of ${header.eval.task}`, body);
}

function searchForm(path: string, index: LogIndex, { behaviour, outcome, text }: Filter): Markup {
  return html`<form class="controls search" action="/transcripts"><input type="hidden" name="log" value="${path}">
<label>Text <input type="search" name="text" value="${text}"></label>
${choice('Behaviour', 'behaviour', behaviour, counted(index.rows, 'behaviour'), (value) => value)}
${choice('Outcome', 'outcome', outcome, counted(index.rows, 'outcome'), outcomeWords)}
<button>Search</button></form>`;
}

function choice(
  label: string,
  name: string,
  chosen: string,
  values: readonly Counted[],
  words: (value: string) => string,
): Markup | undefined {
  if (values.length === 0) return undefined;
  const options = values.map(({ value, count }) => {
    const selected = value === chosen ? html` selected` : undefined;
    return html`<option value="${value}"${selected}>${words(value)} (${formatCount(count)})</option>`;
  });
  return html`<label>${label} <select name="${name}"><option value="">all</option>${options}</select></label>`;
}

/** More values than these are a number each, which nobody chooses from a list. */
const CHOICES = 20;

type Counted = { readonly value: string; readonly count: number };

/** The values that there are, with how many rows have each. */
function counted(rows: readonly IndexRow[], key: 'behaviour' | 'outcome'): Counted[] {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(row[key], (counts.get(row[key]) ?? 0) + 1);
  counts.delete('');
  if (counts.size > CHOICES) return [];
  return Array.from(counts, ([value, count]) => ({ value, count })).sort((a, b) => a.value.localeCompare(b.value));
}

function placeLine(log: string, filter: Filter, from: number, page: Page): Markup {
  const to = (position: number, words: string) =>
    html`<a href="${address('/transcripts', { log, ...filter, from: position })}">${words}</a>`;
  const earlier =
    from === 0 ? undefined : filter.text ? to(0, '⇤ from the start') : to(Math.max(0, from - PAGE), '← earlier');
  const later = page.next === undefined ? undefined : to(page.next, filter.text ? 'search on →' : 'later →');
  return html`<p class="pages"><span>${place(filter, from, page)}</span>${earlier}${later}</p>`;
}

function place({ text }: Filter, from: number, { rows, total, searched }: Page): string {
  if (text) return `${rows.length} found; searched ${formatCount(searched)} of ${formatCount(total)}`;
  if (total === 0) return 'nothing fits';
  return `${formatCount(from + 1)}–${formatCount(from + rows.length)} of ${formatCount(total)}`;
}

function sampleRow(log: string, filter: Filter, { position, row }: Page['rows'][number]): Markup {
  const { behaviour, condition, outcome, entry, preview, excerpt } = row;
  const kind = outcome === 'C' ? 'better' : outcome === 'I' || outcome === 'error' ? 'worse' : '';
  const name = entry.slice('samples/'.length, -'.json'.length);
  const link = address('/transcript', { log, ...filter, at: position });
  return html`<tr><td>${behaviour} <small>${condition}</small></td><td class="outcome verdict ${kind}">${outcomeWords(outcome)}</td>
<td><a href="${link}">${preview || excerpt || name}</a>${excerpt && preview ? html`<span class="excerpt">${excerpt}</span>` : undefined}<small>${name}</small></td></tr>
`;
}
