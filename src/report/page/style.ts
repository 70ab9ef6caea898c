/**
 * The page's look: a paper one would print. Grey is before, blue after, vermilion what missed or got worse: told apart
 * with any colour vision (after Okabe & Ito 2008), and always said in a sign or word as well.
 */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #fdfcf9; --ink: #1b1b1a; --muted: #6a6862; --rule: #e4e1d9; --wash: #f5f3ed;
  --before: #918c84; --after: #1565a9; --bad: #b8400f; --on-strong: #fff; --injected: #7a3e9d;
  --serif: "Iowan Old Style", "Palatino Linotype", Palatino, "Book Antiqua", Georgia, serif;
  --sans: system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #161718; --ink: #e9e6df; --muted: #a09c94; --rule: #303236; --wash: #1f2123;
    --before: #98938b; --after: #6db3f2; --bad: #f2885c; --on-strong: #10202e; --injected: #cfa3ec;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 17px/1.55 var(--serif); }
main { max-width: 1020px; margin: 0 auto; padding: 56px 20px 96px; }
header p:not(.kicker), section > p { max-width: 740px; }
h1 { font-size: 34px; line-height: 1.15; font-weight: 600; letter-spacing: -.01em; margin: 0 0 10px; text-wrap: balance; }
h2 { font-size: 23px; font-weight: 600; line-height: 1.25; margin: 76px 0 8px; }
h3, h4, h5 { font-family: var(--sans); font-weight: 600; margin: 0; }
a { color: var(--after); }
.kicker, nav, .facts { font: 13.5px/1.5 var(--sans); color: var(--muted); }
.kicker { margin: 0 0 14px; overflow-wrap: anywhere; }
.badge { display: inline-block; font: 600 14px/1 var(--sans); padding: 7px 11px; border-radius: 4px; border: 1.5px solid currentColor; text-decoration: none; }
.badge.good { color: var(--after); }
.badge.bad { color: var(--on-strong); background: var(--bad); border-color: var(--bad); }
.terms { font: 13px/1.45 var(--sans); margin: 14px 0 0; display: grid; grid-template-columns: minmax(9em, max-content) 1fr; gap: 3px 18px; max-width: 900px; }
.terms dt { font-weight: 600; }
.terms dd { margin: 0; color: var(--muted); }
@media (max-width: 600px) { .terms { grid-template-columns: 1fr; } .terms dd { margin-bottom: 5px; } }
.lead { font-size: 19px; line-height: 1.5; margin: 0 0 10px; }
nav { border-block: 1px solid var(--rule); padding: 9px 0; margin: 28px 0 40px; display: flex; flex-wrap: wrap; gap: 4px 20px; }
nav a { color: inherit; text-decoration: none; }
nav a:hover { color: var(--after); }
figure { margin: 18px 0 0; }
figcaption, .caption { font: 13.5px/1.5 var(--sans); color: var(--muted); margin: 12px 0 0; }
figcaption b, .caption b { color: var(--ink); font-weight: 600; }
svg { display: block; width: 100%; height: auto; overflow: visible; font-family: var(--sans); background: none; }
.narrow { display: none; }
.small-charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(272px, 100%), 1fr)); gap: 30px 34px; margin-top: 22px; }
.small { margin: 0; }
.small svg { max-width: 400px; }
.small h4 { font-size: 13.5px; line-height: 1.35; min-height: calc(2.7em + 4px); display: flex; align-items: end; padding-bottom: 4px; }
.small figcaption { font-size: 12px; margin-top: 2px; }
details { margin-top: 22px; }
summary { font: 14px var(--sans); color: var(--after); cursor: pointer; }
.scroll { overflow-x: auto; margin-top: 18px; }
table { border-collapse: collapse; font: 14px/1.4 var(--sans); font-variant-numeric: tabular-nums; }
th { font-weight: 500; text-align: left; }
thead th, thead td { color: var(--muted); font-size: 12.5px; border-bottom: 1.5px solid var(--ink); padding: 5px 10px 5px 0; vertical-align: bottom; }
.numbers { width: 100%; min-width: 640px; }
.numbers td, .numbers tbody th { padding: 7px 14px 7px 0; vertical-align: top; border-bottom: 1px solid var(--rule); }
.numbers tbody th { min-width: 15em; }
.numbers td { white-space: nowrap; }
.numbers thead > tr > * { border-bottom: 1.5px solid var(--ink); padding-bottom: 5px; }
.numbers small { display: block; color: var(--muted); font-size: 12px; line-height: 1.4; font-weight: 400; }
.numbers th small { max-width: 34em; margin-top: 2px; }
.numbers em { color: var(--muted); font-style: normal; }
.numbers .section th { font-weight: 600; padding: 22px 0 5px; border-bottom: 1px solid var(--muted); }
.arrow { display: inline-block; width: 1.3em; color: var(--muted); }
.verdict { color: var(--muted); }
.verdict.better { color: var(--after); }
.verdict.worse { color: var(--bad); font-weight: 600; }
.gates .first > * { border-top: 1px solid var(--muted); }
.self-test td, .self-test tbody th { padding: 6px 16px 6px 0; vertical-align: top; border-bottom: 1px solid var(--rule); }
.self-test tbody th, .self-test .verdict { white-space: nowrap; }
.cost { max-width: 700px; min-width: 480px; }
.cost tbody th { min-width: 7em; }
.cost td { text-align: right; }
.cost thead th:nth-child(n + 2) { text-align: right; padding-right: 14px; }
.cost .bar { width: 45%; }
.cost .bar span { display: block; height: 10px; margin-top: 5px; background: var(--after); min-width: 1px; }
.cost tfoot > tr > * { border-bottom: 0; font-weight: 600; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(340px, 100%), 1fr)); gap: 20px 36px; }
.heat { width: 100%; margin-top: 16px; border-collapse: separate; border-spacing: 2px; }
.heat caption { text-align: left; font-weight: 600; padding-bottom: 4px; }
.heat thead th { text-align: center; border: 0; padding: 2px; font-weight: 500; }
.heat thead th:first-child { text-align: left; width: 30%; padding-left: 0; }
.heat tbody th { font-size: 13px; line-height: 1.25; padding: 4px 8px 4px 0; }
.heat td { text-align: center; padding: 7px 0 5px; font-size: 15px; }
.heat { table-layout: fixed; }
.heat td small { display: block; white-space: nowrap; font-size: 10.5px; line-height: 1.2; opacity: .8; }
.heat .seen { background: color-mix(in srgb, var(--after) calc(5% + var(--value) * 92%), var(--paper)); }
.heat .alarm { background: color-mix(in srgb, var(--bad) calc(3% + var(--value) * 95%), var(--paper)); }
.heat .strong { color: var(--on-strong); }
.controls { display: flex; flex-wrap: wrap; gap: 10px 22px; align-items: center; font: 14px var(--sans); margin: 18px 0 6px; }
.controls[hidden], article[hidden] { display: none; }
.controls select, .controls button { font: inherit; color: inherit; background: var(--wash); border: 1px solid var(--rule); border-radius: 4px; padding: 5px 9px; max-width: 100%; }
.controls button { min-width: 44px; cursor: pointer; }
.controls .step { margin-left: auto; display: flex; gap: 10px; align-items: center; font-variant-numeric: tabular-nums; }
:focus-visible { outline: 2px solid var(--after); outline-offset: 2px; }
.legend { font: 13px/2 var(--sans); color: var(--muted); margin: 8px 0 0; max-width: none; }
.legend .tokens span { padding: 1px 7px; }
article { border-top: 1px solid var(--rule); padding: 18px 0; }
article h4 { font-size: 15px; margin-bottom: 10px; }
.token { color: var(--ink); padding-left: 8px; font-variant-numeric: tabular-nums; }
article em { color: var(--muted); font-style: normal; font-weight: 400; }
.problem { font: 13.5px/1.4 var(--mono); color: var(--muted); margin: -6px 0 12px; overflow-wrap: anywhere; }
h5 { font-size: 13.5px; display: flex; gap: 12px; flex-wrap: wrap; padding-bottom: 6px; border-bottom: 1px solid var(--rule); }
h5 .verdict { font-weight: 500; }
.turn { display: grid; grid-template-columns: 5.4em 1fr; gap: 8px; padding: 7px 0; }
.turn .role { font: 12px/1.9 var(--sans); color: var(--muted); }
.turn p { margin: 0; font: 14.5px/1.65 var(--mono); white-space: pre-wrap; overflow-wrap: anywhere; }
.injected { color: var(--injected); border-bottom: 2px dotted var(--injected); }
.tokens { color: var(--ink); }
.tokens > span { border-radius: 2px; }
.tokens .t0 { background: color-mix(in srgb, #e0a100 7%, transparent); }
.tokens .t1 { background: color-mix(in srgb, #e0a100 22%, transparent); }
.tokens .t2 { background: color-mix(in srgb, #e0a100 45%, transparent); }
.tokens .t3 { background: color-mix(in srgb, #e0a100 68%, transparent); }
.tokens .t4 { background: #e0a100; color: #1b1b1a; }
.facts { margin-top: 14px; display: grid; grid-template-columns: max-content 1fr; gap: 3px 18px; }
.facts dt { color: var(--muted); }
.facts dd { margin: 0; color: var(--ink); font-variant-ligatures: none; overflow-wrap: anywhere; }
@media (max-width: 720px) {
  main { padding: 30px 16px 64px; }
  h1 { font-size: 28px; }
  .wide { display: none; }
  .narrow { display: block; }
  .controls .step { margin-left: 0; }
  .heat td small { font-size: 9.5px; letter-spacing: -.02em; }
  .numbers tbody th { min-width: 11em; }
  .cost { min-width: 0; }
  .cost .bar, .cost thead td { display: none; }
  .cost tbody th { min-width: 0; }
  .gates { min-width: 0; }
  .gates thead { display: none; }
  .gates tr { display: grid; grid-template-columns: 5.6em 1fr; padding: 8px 0; border-bottom: 1px solid var(--rule); }
  .gates tbody td, .gates tbody th { border: 0; padding: 0; min-width: 0; white-space: normal; grid-column: 2; }
  .gates tbody td:first-child { grid-column: 1; }
  .gates td:nth-child(2) { color: var(--muted); }
  .gates td:nth-child(2):empty { display: none; }
  .gates .first > * { border: 0; }
  h2 { margin-top: 56px; }
}
@media print {
  :root { color-scheme: light; --paper: #fff; }
  body { font-size: 10.5pt; }
  main { padding: 0; max-width: none; }
  nav, .controls { display: none !important; }
  figure, table, article { break-inside: avoid; }
  .heat td, .tokens span, .bar span { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
