import { TRANSCRIPTS, TRANSCRIPTS_BEFORE } from '../record/inspect/write-transcripts.ts';
import { formatCount, formatSeconds, modelName } from '../report/format.ts';
import { gateCount } from '../report/gate-text.ts';
import { html, type Markup } from '../report/page/markup.ts';
import type { ListedLog, ListedRun, Listing } from './find-runs.ts';
import { address, layout } from './layout.ts';
import type { ListedOpenRun } from './open-run.ts';

/** The first page: every run and log under the folder, two of which can be compared. */
export function runsPage(root: string, { runs, logs }: Listing): string {
  const body = html`<p class="kicker">unrut · ${root}</p><h1>Runs</h1>
${runs.length === 0 ? html`<p>No run here yet. <code>unrut run quickstart</code> makes one.</p>` : runTable(runs)}
${logs.length === 0 ? undefined : html`<h2>Other logs</h2>${logTable(logs)}`}`;
  return layout('Runs', body);
}

function runTable(runs: readonly ListedRun[]): Markup {
  return html`<form action="/compare"><table class="list">
<thead><tr><th scope="col" class="pick">compare</th><th scope="col">run</th><th scope="col">model</th><th scope="col">started</th><th scope="col">gates</th><th scope="col">transcripts</th></tr></thead>
<tbody>${runs.map((run, index) => runRow(run, index))}</tbody></table>
${runs.length > 1 ? html`<p class="controls"><button>Compare A with B</button></p>` : undefined}</form>`;
}

function runRow(listed: ListedRun, index: number): Markup {
  const { path, logs, results, open, error } = listed;
  if (open) return openRow(path, open, logs);
  if (!results)
    return html`<tr><td class="pick"></td><th scope="row">${path || '.'}</th><td colspan="4" class="error">✗ ${error}</td></tr>`;
  const { run, gates, seconds } = results;
  return html`<tr><td class="pick">${pick('first', path, index === 1)}${pick('second', path, index === 0)}</td>
<th scope="row"><a href="${address('/report', { run: path || '.' })}">${path || '.'}</a><small>${run.name}</small>${overridesLine(run.overrides)}</th>
<td>${modelName(run.model ?? '')}</td><td class="when">${run.started?.slice(0, 16).replace('T', ' ')}<small>took ${formatSeconds(seconds.total)}</small></td>
<td${gates.every(({ held }) => held) ? undefined : html` class="error"`}>${gates.length === 0 ? '' : gateCount(gates)}</td>
<td>${logLinks(path, logs)}</td></tr>
`;
}

const STATES = { running: '● running', interrupted: '‖ interrupted', stopped: '✗ stopped' } as const;

/** One that has no results yet: how far it is stands where the gates will. */
function openRow(
  path: string,
  { name, model, started, overrides, state, where, hasPage }: ListedOpenRun,
  logs: readonly string[],
): Markup {
  const title = path || '.';
  return html`<tr><td class="pick"></td>
<th scope="row">${hasPage ? html`<a href="${address('/run', { run: title })}">${title}</a>` : title}<small>${name}</small>${overridesLine(overrides)}</th>
<td>${modelName(model)}</td><td class="when">${started?.slice(0, 16).replace('T', ' ')}</td>
<td class="state ${state}">${STATES[state]}<small>${where}</small></td><td>${logLinks(path, logs)}</td></tr>
`;
}

/** What was changed of the recipe's file. */
function overridesLine(overrides: readonly string[] = []): Markup | undefined {
  return overrides.length === 0
    ? undefined
    : html`<small class="overrides">${overrides.map((one) => html`<code>${one}</code> `)}</small>`;
}

function logLinks(path: string, logs: readonly string[]): Markup[] {
  return logs.map((log) => {
    const href = address('/transcripts', { log: path ? `${path}/${log}` : log });
    return html`<a href="${href}">${shortName(log, logs)}</a> `;
  });
}

function pick(name: string, path: string, checked: boolean): Markup {
  const word = name === 'first' ? 'A' : 'B';
  return html`<label><input type="radio" name="${name}" value="${path || '.'}" aria-label="${path || '.'} as ${word}"${checked ? html` checked` : undefined}> ${word}</label>`;
}

function shortName(log: string, logs: readonly string[]): string {
  if (log === TRANSCRIPTS_BEFORE) return 'before';
  if (log !== TRANSCRIPTS) return log;
  return logs.includes(TRANSCRIPTS_BEFORE) ? 'after' : 'read';
}

function logTable(logs: readonly ListedLog[]): Markup {
  return html`<table class="list"><thead><tr><th scope="col">log</th><th scope="col">task</th><th scope="col">model</th><th scope="col">samples</th></tr></thead>
<tbody>${logs.map(logRow)}</tbody></table>`;
}

function logRow({ path, about, error }: ListedLog): Markup {
  if (!about) return html`<tr><th scope="row">${path}</th><td colspan="3" class="error">✗ ${error}</td></tr>`;
  return html`<tr><th scope="row"><a href="${address('/transcripts', { log: path })}">${path}</a></th><td>${about.task}</td><td>${about.model}</td><td>${formatCount(about.samples)}</td></tr>`;
}
