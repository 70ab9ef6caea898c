import type { Comparison, LabTable } from '../results/lab-finding.ts';
import type { LabResults } from '../results/lab-results.ts';
import { verdictLine } from '../results/lab-verdict.ts';
import { formatCount, formatP, formatSeconds } from './format.ts';
import { labFigure, number } from './page/lab-figure.ts';
import { html, Markup } from './page/markup.ts';
import { style } from './page/style.ts';

/** Pages hold text that a model wrote or a user brought: nothing on them may load, run or send anything. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/** An experiment, or several, on one page that works from disk: the picture first, then method, tables, declaration. */
export function renderLabHtml(results: readonly LabResults[]): string {
  const title = results.length === 1 ? `${results[0]?.experiment}: unrut lab` : 'unrut lab';
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}"><link rel="icon" href="data:,">
<title>${title}</title><style>${new Markup(style)}</style></head>
<body><main>${results.length > 1 ? overview(results) : undefined}${results.map(experiment)}</main></body></html>
`.text;
}

function overview(results: readonly LabResults[]): Markup {
  return html`<header><p class="kicker">unrut lab</p><h1>The debate’s claims, as experiments</h1></header>
<div class="scroll"><table class="numbers"><thead><tr><th>experiment</th><th>claim</th><th>verdict</th></tr></thead><tbody>
${results.map((one) => html`<tr><th><a href="#${one.experiment}">${one.experiment}</a></th><td style="white-space:normal">${one.claim}</td><td style="white-space:normal">${verdictLine(one.verdict, one.finding.headline)}</td></tr>`)}
</tbody></table></div>`;
}

function experiment(results: LabResults): Markup {
  const { finding, verdict, claim, question, seconds, seed, started } = results;
  const [first, ...others] = finding.figures;
  return html`<section id="${results.experiment}"><p class="kicker">unrut lab · ${results.experiment} · seed ${seed} · ${formatSeconds(seconds)} · ${started.slice(0, 10)}</p>
<h1>${question}</h1><p>The claim: “${claim}”</p><p class="lead">${verdictLine(verdict, finding.headline)}</p>
${first && labFigure(first)}
<h2>What was compared</h2>${comparisons(finding.comparisons)}
${others.map(labFigure)}${finding.tables.map(table)}
<h2>Controls, leaks and spending</h2>${table(checks(results))}
<h2>Declared before it ran</h2>${declaration(results)}</section>
`;
}

function comparisons(rows: readonly Comparison[]): Markup {
  const cells = rows.map(({ name, unit, value, low, high, expected, threshold, p, over }) => [
    name,
    `${number(value)} [${number(low)}, ${number(high)}] ${unit}`,
    `${expected} ${number(threshold)}`,
    p === undefined ? '' : formatP(p),
    over,
  ]);
  return table({ title: 'Primary comparisons, 95 % intervals', columns: ['comparison', 'measured', 'declared', 'p', 'over'], rows: cells });
} // biome-ignore format: a table

function table({ title, columns, rows, note }: LabTable): Markup {
  const cell = (value: string | number) => (typeof value === 'number' ? number(value) : value);
  return html`<h3 style="margin-top:34px">${title}</h3><div class="scroll" tabindex="0"><table class="numbers"><thead><tr>${columns.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map(([head = '', ...cells]) => html`<tr><th scope="row">${cell(head)}</th>${cells.map((value) => html`<td>${cell(value)}</td>`)}</tr>`)}</tbody></table></div>${note && html`<p class="caption">${note}</p>`}
`;
}

function checks({ finding: { controls, scans, spent } }: LabResults): LabTable {
  return {
    title: 'What was checked, and what it cost',
    columns: ['what', 'outcome', 'how'],
    rows: [
      ...controls.map(({ name, held, what }) => [name, held ? 'came out negative' : 'DID NOT come out negative', what]),
      ...scans.map(({ data, method, looked, found }) => [`leak scan: ${data}`, `${formatCount(found)} of ${formatCount(looked)} found`, method]),
      ...Object.entries(spent).map(([arm, { calls, tokens }]) => [`spent: ${arm}`, `${formatCount(calls)} verifier calls`, `${formatCount(tokens)} training tokens`]),
    ],
  };
} // biome-ignore format: a row a line

function declaration({ declaration: it, declared_sha256, options }: LabResults): Markup {
  const rows: [string, string][] = [
    ['hypothesis', it.hypothesis],
    ['metric', it.metric],
    ['baselines', it.baselines.join('; ')],
    ['budget', it.budget],
    ['would count against it', it.against],
    ['must not be concluded', it.notConcluded],
    ['options', JSON.stringify(options)],
    ['SHA-256 of this declaration, options and seed', declared_sha256],
  ];
  return html`<dl>${rows.map(([name, text]) => html`<dt><b>${name}</b></dt><dd style="overflow-wrap:anywhere;margin:0 0 10px">${text}</dd>`)}</dl>`;
}
