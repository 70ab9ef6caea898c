import type { Results } from '../results/results.ts';
import { formatSeconds, modelName } from './format.ts';
import { gateBadge } from './page/gate-badge.ts';
import { html, Markup } from './page/markup.ts';
import { browseScript } from './page/script.ts';
import { allSections, type Section } from './page/sections.ts';
import { style } from './page/style.ts';
import { summary } from './summary.ts';

/** One HTML file that holds everything: it works from disk, without a network, in light and dark, on paper and on a phone. */
export function renderHtml(results: Results): string {
  const sections = allSections(results);
  const [lead, ...rest] = summary(results);
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy}"><link rel="icon" href="data:,">
<title>${results.run.name}: unrut report</title><style>${new Markup(style)}</style></head>
<body><main><header><p class="kicker">${kicker(results)}</p><h1>${heading(results)}</h1>
${gateBadge(results.gates)}<p class="lead">${lead}</p><p>${rest.join(' ')}</p></header>
<nav aria-label="Contents">${sections.map(({ id, title }) => html`<a href="#${id}">${title}</a>`)}</nav>
${sections.map((section, index) => sectionMarkup(section, number(sections, index)))}</main><script>${new Markup(browseScript)}</script></body></html>
`;
  return page.text;
}

/** The page holds text that a model wrote: nothing in it may load or send anything. */
const contentPolicy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

function sectionMarkup({ id, title, body, caption, kind }: Section, number: number): Markup {
  const label = kind && html`<b>${kind} ${number}.</b> `;
  return html`<section id="${id}"><h2>${title}</h2>${body}${caption && html`<p class="caption">${label}${caption}</p>`}</section>
`;
}

/** Counts sections of the same kind up to and with this one. */
function number(sections: readonly Section[], index: number): number {
  return sections.slice(0, index + 1).filter(({ kind }) => kind === sections[index]!.kind).length;
}

function heading({ probes }: Results): string {
  const isPaired = probes.some((row) => row.after);
  return isPaired ? 'The consistency drive, before and after' : 'The consistency drive, measured';
}

function kicker({ run, seconds }: Results): string {
  const facts = [
    'unrut',
    run.name,
    run.model && modelName(run.model),
    `seed ${run.seed}`,
    formatSeconds(seconds.total),
    run.started?.slice(0, 10),
  ];
  return facts.filter((fact) => fact !== undefined).join(' · ');
}
