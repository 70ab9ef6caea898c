import { html, Markup } from '../report/page/markup.ts';
import { style } from '../report/page/style.ts';

/** The viewer's own look on top of the report's. */
const viewStyle = `
main { padding-top: 34px; }
h1 { font-size: 28px; overflow-wrap: anywhere; }
.list { width: 100%; margin-top: 18px; }
.list td, .list th { padding: 9px 14px 9px 0; vertical-align: top; border-bottom: 1px solid var(--rule); overflow-wrap: break-word; }
.list th small, .list td small { display: block; color: var(--muted); font-weight: 400; }
.list .pick { white-space: nowrap; width: 84px; color: var(--muted); }
.list .pick label + label { margin-left: 8px; }
.list .when { white-space: nowrap; }
.list code { font: 13px/1.5 var(--mono); }
.error { color: var(--bad); }
.state.running { color: var(--after); font-weight: 600; }
.state.stopped { color: var(--bad); }
.state { font: 15px var(--sans); }
.bar { font: 14px var(--sans); font-variant-numeric: tabular-nums; }
.bar progress { width: min(320px, 60%); accent-color: var(--after); }
.stages span { white-space: nowrap; margin-right: 14px; font: 14px var(--sans); }
.gate-list { list-style: none; padding: 0; font: 14px/1.6 var(--sans); }
.lines { font: 12.5px/1.6 var(--mono); white-space: pre-wrap; overflow-wrap: anywhere; }
.overrides code { font-size: 12px; margin-right: 5px; }
.search { margin: 18px 0 0; }
.search label { display: flex; flex-wrap: wrap; gap: 4px 7px; align-items: center; }
.search input[type="search"] { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--rule); border-radius: 4px; padding: 5px 9px; width: 18em; max-width: 100%; }
.pages { display: flex; flex-wrap: wrap; gap: 6px 22px; align-items: baseline; font: 14px var(--sans); margin: 16px 0; color: var(--muted); font-variant-numeric: tabular-nums; }
.pages a, .back { font: 14px var(--sans); }
.excerpt { display: block; white-space: pre-line; }
.excerpt::before { content: "↳ "; color: var(--muted); }
.samples td:first-child { width: 11em; }
.samples .outcome { width: 9em; white-space: nowrap; }
.one { font: 600 17px/1.4 var(--mono); }
button { min-height: 34px; }
@media (max-width: 720px) {
  .list thead { display: none; }
  .list tr { display: grid; grid-template-columns: auto 1fr; padding: 10px 0; border-bottom: 1px solid var(--rule); }
  .list td, .list th { border: 0; padding: 1px 8px 1px 0; grid-column: 2; }
  .list .pick { width: auto; }
  .list .pick:empty { display: none; }
  .list td, .list th { overflow-wrap: anywhere; }
  .list td:empty { display: none; }
  .samples tr { display: block; }
  .samples td, .samples td:first-child, .samples .outcome { display: inline-block; width: auto; }
  .samples td:last-child { display: block; }
  .samples td:first-child small { display: inline; }
}
`;

/** A page of the viewer: no script, nothing from outside. */
export function layout(title: string, body: Markup): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>${title}: unrut</title><style>${new Markup(style + viewStyle)}</style></head>
<body><main>${body}</main></body></html>
`.text;
}

/** An address of the viewer; empty values are left out. */
export function address(page: string, values: Readonly<Record<string, string | number | undefined>>): string {
  const filled = Object.entries(values).filter(([, value]) => value !== undefined && value !== '');
  return `${page}?${new URLSearchParams(filled.map(([key, value]): [string, string] => [key, String(value)]))}`;
}

/** The way back: to the list of runs, and to what lies between. */
export function way(...steps: readonly Markup[]): Markup {
  return html`<p class="back"><a href="/">all runs</a>${steps.map((step) => html` › ${step}`)}</p>`;
}
