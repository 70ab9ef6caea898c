import { z } from 'zod';
import { latestSteps, type StepEvent } from '../record/event.ts';
import { eventLine, followed, shortNumber } from '../report/event-line.ts';
import { formatCondition, formatSeconds, modelName } from '../report/format.ts';
import { Pace } from '../report/pace.ts';
import { html, Markup } from '../report/page/markup.ts';
import { conversation } from '../report/page/transcripts.ts';
import { address, layout, way } from './layout.ts';
import type { LiveRun } from './live.ts';
import { NO_COLOURS, whereItIs } from './open-run.ts';

/** So many lines of what happened last are shown. */
const LINES = 12;

/** A run that has not finished: what it does now, redrawn as it goes on. */
export function runPage(path: string, run: LiveRun): string {
  const source = address('/live', { run: path });
  const body = html`${way()}<p class="kicker">${path} · ${modelName(run.card.model)} · seed ${run.card.seed}</p><h1>${run.card.name}</h1>
<p class="overrides">${(run.card.overrides ?? []).map((one) => html`<code>${one}</code> `)}</p>
<div id="live" data-source="${source}">${runBody(path, run)}</div><script>${new Markup(SCRIPT)}</script>`;
  return layout(run.card.name, body);
}

const SCRIPT = `
(() => {
  const place = document.getElementById('live');
  const source = new EventSource(place.dataset.source);
  source.onmessage = ({ data }) => {
    const { html, over } = JSON.parse(data);
    place.innerHTML = html;
    if (over) source.close();
  };
})();
`;

/** All of it that changes. */
export function runBody(path: string, run: LiveRun): Markup {
  const steps = latestSteps(run.events);
  return html`${stateLine(path, run)}${progress(steps.at(-1), steps)}${stageList(run)}${curves(steps)}
${gateList(run)}<h2>What happened last</h2><pre class="lines">${lastLines(run).join('\n')}</pre>${latestTranscripts(run)}`;
}

const STATES = { running: '● running', interrupted: '‖ interrupted: go on with --resume', stopped: '✗ stopped: go on with --resume' } as const; // biome-ignore format: one list

function stateLine(path: string, { state, finished, events }: LiveRun): Markup {
  if (finished)
    return html`<p class="state">✓ finished: <a href="${address('/report', { run: path })}">the report</a></p>`;
  return html`<p class="state ${state}">${STATES[state]} · ${whereItIs(events)}</p>`;
}

/** Of the stage that runs, with the time left. */
function progress(last: StepEvent | undefined, steps: readonly StepEvent[]): Markup | undefined {
  if (last === undefined) return undefined;
  const pace = new Pace();
  const left = steps.filter(({ stage }) => stage === last.stage).reduce((_, step) => pace.secondsLeft(step), 0);
  return html`<p class="bar"><progress max="${last.of}" value="${last.step + 1}"></progress> ${last.stage} ${last.step + 1}/${last.of}, ${formatSeconds(left)} left</p>`;
}

const recipeShape = z.object({
  stages: z.array(z.object({ stage: z.string(), as: z.string().optional(), off: z.boolean().optional() })),
});

/** Every stage of the recipe, done or to come. */
function stageList({ card, events }: LiveRun): Markup | undefined {
  const { data } = recipeShape.safeParse(card.recipe);
  if (data === undefined) return undefined;
  const names = data.stages.filter(({ off }) => !off).map(({ stage, as }) => as ?? stage);
  const has = (kind: 'stage-started' | 'stage-finished' | 'stage-skipped', name: string) =>
    events.some((event) => event.kind === kind && event.stage === name);
  const sign = (name: string) =>
    has('stage-finished', name) ? '✓' : has('stage-skipped', name) ? '–' : has('stage-started', name) ? '●' : '○';
  return html`<p class="stages">${names.map((name) => html`<span>${sign(name)} ${name}</span> `)}</p>`;
}

const CURVE = { width: 220, height: 46 };

/** Loss, reward and J of the stage that runs. */
function curves(steps: readonly StepEvent[]): Markup | undefined {
  const last = steps.at(-1);
  if (last === undefined) return undefined;
  const its = steps.filter(({ stage }) => stage === last.stage);
  const drawn = followed(last).map(([name, value]) => {
    const values = its.flatMap((step) => step.metrics[name] ?? []);
    return html`<figure class="small"><h4>${name} ${shortNumber(value)}</h4>${polyline(name, values)}</figure>`;
  });
  return html`<div class="small-charts">${drawn}</div>`;
}

function polyline(name: string, values: readonly number[]): Markup {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const x = (index: number) => (index / Math.max(1, values.length - 1)) * CURVE.width;
  const y = (value: number) => CURVE.height - ((value - least) / (most - least || 1)) * CURVE.height;
  const points = values.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
  return html`<svg viewBox="-1 -2 ${CURVE.width + 2} ${CURVE.height + 4}" role="img" aria-label="${name}, ${values.length} steps"><polyline points="${points}" fill="none" stroke="var(--after)" stroke-width="1.5"/></svg>`;
}

function gateList({ events }: LiveRun): Markup | undefined {
  const gates = events.filter((event) => event.kind === 'gate');
  if (gates.length === 0) return undefined;
  const line = (gate: (typeof gates)[number]) =>
    html`<li class="${gate.held ? 'better' : 'error'}">${gate.held ? '✓' : '✗'} ${eventLine(gate, NO_COLOURS)}</li>`;
  return html`<h2>Gates</h2><ul class="gate-list">${gates.map(line)}</ul>`;
}

function lastLines({ events }: LiveRun): string[] {
  const lines = events.flatMap((event) => {
    const line = eventLine(event, NO_COLOURS);
    return line === undefined ? [] : [`${event.time.slice(11, 19)}  ${line}`];
  });
  return lines.slice(-LINES);
}

function latestTranscripts({ latest }: LiveRun): Markup | undefined {
  if (latest === undefined || latest.transcripts.length === 0) return undefined;
  const articles = latest.transcripts.map(
    ({ behaviour, condition, turns }) =>
      html`<article><h4>${behaviour} <em>${formatCondition(condition)}</em></h4>${conversation(turns)}</article>`,
  );
  return html`<h2>The model in probe ${latest.probe}</h2>${articles}`;
}
