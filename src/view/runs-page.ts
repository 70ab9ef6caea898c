import { formatCount, formatSeconds } from '../report/format.ts';
import { gateCount } from '../report/gate-text.ts';
import { html, type Markup } from '../report/page/markup.ts';
import type { ListedLog, ListedRun, Listing } from './find-runs.ts';
import { address, layout } from './layout.ts';

/** The first page: every run and log under the folder, two of which can be compared. */
export function runsPage(root: string, { runs, logs }: Listing): string {
  const body = html`<p class="kicker">unrut · ${root}</p><h1>Runs</h1>
${runs.length === 0 ? html`<p>No run here yet. <code>unrut run quickstart</code> makes one.</p>` : runTable(runs)}
${logs.length === 0 ? undefined : html`<h2>Other logs</h2>${logTable(logs)}`}`;
  return layout('Runs', body);
}

function runTable(runs: readonly ListedRun[]): Markup {
  return html`<form action="/compare"><table class="list">
<thead><tr><th scope="col" class="pick">A</th><th scope="col" class="pick">B</th><th scope="col">run</th><th scope="col">model</th><th scope="col">started</th><th scope="col">gates</th><th scope="col">transcripts</th></tr></thead>
<tbody>${runs.map((run, index) => runRow(run, index))}</tbody></table>
${runs.length > 1 ? html`<p class="controls"><button>Compare A with B</button></p>` : undefined}</form>`;
}

function runRow({ path, logs, results, error }: ListedRun, index: number): Markup {
  if (!results)
    return html`<tr><td class="pick"></td><td class="pick"></td><th scope="row">${path || '.'}</th><td colspan="4" class="error">✗ ${error}</td></tr>`;
  const { run, gates, seconds } = results;
  return html`<tr>${pick('first', path, index === 1)}${pick('second', path, index === 0)}
<th scope="row"><a href="${address('/report', { run: path || '.' })}">${run.name}</a><small>${path || '.'}</small></th>
<td>${run.model}</td><td class="when">${run.started?.slice(0, 16).replace('T', ' ')}<small>took ${formatSeconds(seconds.total)}</small></td>
<td${gates.every(({ held }) => held) ? undefined : html` class="error"`}>${gates.length === 0 ? '' : gateCount(gates)}</td>
<td>${logs.map((log) => html`<a href="${address('/transcripts', { log: path ? `${path}/${log}` : log })}">${shortName(log)}</a> `)}</td></tr>
`;
}

function pick(name: string, path: string, checked: boolean): Markup {
  const word = name === 'first' ? 'A' : 'B';
  return html`<td class="pick"><input type="radio" name="${name}" value="${path || '.'}" aria-label="${path || '.'} as ${word}"${checked ? html` checked` : undefined}></td>`;
}

function shortName(log: string): string {
  if (log === 'transcripts.eval') return 'read';
  return log === 'transcripts-before.eval' ? 'before' : log;
}

function logTable(logs: readonly ListedLog[]): Markup {
  return html`<table class="list"><thead><tr><th scope="col">log</th><th scope="col">task</th><th scope="col">model</th><th scope="col">samples</th></tr></thead>
<tbody>${logs.map(logRow)}</tbody></table>`;
}

function logRow({ path, about, error }: ListedLog): Markup {
  if (!about) return html`<tr><th scope="row">${path}</th><td colspan="3" class="error">✗ ${error}</td></tr>`;
  return html`<tr><th scope="row"><a href="${address('/transcripts', { log: path })}">${path}</a></th><td>${about.task}</td><td>${about.model}</td><td>${formatCount(about.samples)}</td></tr>`;
}
