import type { Results } from '../../results/results.ts';
import { confounds } from '../confounds.ts';
import { endpointLines } from '../endpoint-lines.ts';
import { formatCount } from '../format.ts';
import { gateCount, referenceNote } from '../gate-text.ts';
import { headlineRows } from '../headline-rows.ts';
import { sizes } from '../sizes.ts';
import { tableKey } from '../verdict-words.ts';
import { confoundTable } from './confound-table.ts';
import { costTable } from './cost-table.ts';
import { curveFigure } from './curve-figure.ts';
import { doseFigure } from './dose-figure.ts';
import { gateTable } from './gate-table.ts';
import { storyFigure } from './headline-figure.ts';
import { latentTable } from './latent-table.ts';
import { html, type Markup } from './markup.ts';
import { probeTable } from './probe-table.ts';
import { selfTestTable } from './self-test-table.ts';
import { skippedList } from './skipped-list.ts';
import { stageFigure } from './stage-figure.ts';
import { terms } from './terms.ts';
import { transcriptBrowser } from './transcripts.ts';

/** A part of the page. The caption says what is drawn, with n and interval. */
export type Section = {
  readonly id: string;
  readonly title: string;
  readonly body: Markup;
  /** Figures and tables are numbered, so that a reader can name them. */
  readonly kind?: 'Figure' | 'Table';
  readonly caption: string | undefined;
};

/** The parts for which the run has something to say, in the order of the page. */
export function allSections(results: Results): Section[] {
  const build = [storySection, latentSection, doseSection, stageSection, gateSection, transcriptSection];
  const rest = [
    numberSection,
    confoundSection,
    skippedSection,
    endpointSection,
    costSection,
    curveSection,
    originSection,
  ];
  return [...build, ...rest].map((part) => part(results)).filter((section) => section !== undefined);
}

function storySection(results: Results): Section | undefined {
  const lines = headlineRows(results);
  if (lines.length === 0) return undefined;
  const rows = lines.flatMap(({ headline, mirror }) => (mirror ? [headline, mirror] : [headline]));
  const marks = isPaired(results) ? 'Ring: before. Disc: after.' : 'Ring: the value.';
  return {
    id: 'story',
    kind: 'Figure',
    title: 'Each behaviour, and the opposite failure beside it',
    body: html`<figure>${storyFigure(results)}</figure>${terms(rows)}`,
    caption: `${marks} Bars: ${intervals(results)}; n = ${sizes(rows.map((row) => row.before))} problems a row. Right is better unless marked; the mirror is where the same remedy, overdone, would show.`,
  };
}

function latentSection(results: Results): Section | undefined {
  const { latent } = results;
  if (!latent || latent.rows.length === 0) return undefined;
  return {
    id: 'surprise',
    kind: 'Table',
    title: `What the model’s own surprise sees${isPaired(results) ? ', before and after' : ''}`,
    body: html`<p>A step that the model would not have written itself surprises it. Where its own habit makes the wrong step
the expected one, that alarm falls silent: the drive to be consistent hides the error from the model that made it.</p>
${latentTable(latent)}`,
    caption: `Share of steps flagged by the rule: ${latent.rule}. Columns count the wrong steps of one kind, up to and with this one. Small: ${intervals(results)}; n = ${sizes(latent.rows.map((row) => row.before))}.`,
  };
}

function doseSection(results: Results): Section | undefined {
  const body = doseFigure(results.probes);
  if (!body) return undefined;
  return {
    id: 'dose',
    kind: 'Figure',
    title: 'The more of it, the stronger',
    body,
    caption: `How the numbers follow the dose: how many steps of one kind stand in the model’s own history, how many copies or demonstrations in the context. Vertical lines: ${intervals(results)}.`,
  };
}

function stageSection(results: Results): Section | undefined {
  const body = stageFigure(results);
  if (!body) return undefined;
  return {
    id: 'stages',
    kind: 'Figure',
    title: 'What each stage did',
    body,
    caption: `Before, after the stages that were probed, and at the end, in the order run; joined where neighbours were measured, dashed over stages that were not. Vertical lines: ${intervals(results)}. Short lines: bars of the gates, coloured where missed.`,
  };
}

function gateSection({ gates }: Results): Section | undefined {
  if (gates.length === 0) return undefined;
  const note = referenceNote(gates);
  const caption = `${gateCount(gates)}. A bar on a limit is compared with that end of the confidence interval, not with the value.${note ? ` ${note.replace('* ', '')}.` : ''}`;
  return { id: 'gates', kind: 'Table', title: 'Gates', body: gateTable(gates), caption };
}

function transcriptSection({ transcripts = [] }: Results): Section | undefined {
  if (transcripts.length === 0) return undefined;
  const caption = `Point at a token, or tap it, for its probability; the arrow keys step.`;
  return { id: 'read', title: 'Read it yourself', body: transcriptBrowser(transcripts), caption };
}

function numberSection(results: Results): Section | undefined {
  if (results.probes.length === 0) return undefined;
  const test = results.statistics?.test;
  const caption = `${intervals(results)} in brackets${test ? `; p: ${test}` : ''}. ${tableKey}.`;
  return { id: 'numbers', kind: 'Table', title: 'All numbers', body: probeTable(results.probes), caption };
}

function skippedSection({ skipped = [] }: Results): Section | undefined {
  if (skipped.length === 0) return undefined;
  return { id: 'skipped', title: 'What was not measured', body: skippedList(skipped), caption: undefined };
}

function endpointSection(results: Results): Section | undefined {
  const { endpoint } = results.run;
  if (!endpoint) return undefined;
  return {
    id: 'endpoint',
    kind: 'Table',
    title: 'What the endpoint does',
    body: selfTestTable(endpoint),
    caption: `Found out by asking it, before anything was measured. Measured by ${endpointLines(results).join(' ')}.`,
  };
}

function confoundSection(results: Results): Section | undefined {
  const all = confounds(results);
  if (all.length === 0) return undefined;
  const caption =
    'Controlled: the design rules it out, or a row shows it apart. Told: it is there, and this is how much.';
  return {
    id: 'confounds',
    kind: 'Table',
    title: 'What else could have made the numbers',
    body: confoundTable(all),
    caption,
  };
}

function costSection(results: Results): Section | undefined {
  if (Object.keys(results.seconds.stages).length === 0) return undefined;
  return {
    id: 'cost',
    kind: 'Table',
    title: 'Cost',
    body: costTable(results),
    caption: `Wall time of each stage.${results.run.machine ? ` ${results.run.machine}.` : ''}`,
  };
}

function curveSection({ curves = [] }: Results): Section | undefined {
  const body = curveFigure(curves);
  return body && { id: 'curves', kind: 'Figure', title: 'Training curves', body, caption: 'As logged, not smoothed.' };
}

function originSection({ run }: Results): Section {
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['model', run.model],
    ['weights sha256', run.model_sha256],
    ['parameters', run.parameters === undefined ? undefined : formatCount(run.parameters)],
    ['recipe sha256', run.recipe_sha256],
    ['overrides', run.overrides?.join(', ')],
    ['seed', String(run.seed)],
    ...(run.problems ?? []).map(
      ({ family, count, sha256 }) => [`problems, ${family}`, `${count}, sha256 ${sha256}`] as const,
    ),
    ...Object.entries(run.versions),
    ['machine', run.machine],
    ['started', run.started],
  ];
  const known = facts.filter(([, value]) => value !== undefined);
  const body = html`<dl class="facts">${known.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
  return { id: 'origin', title: 'Where this comes from', body, caption: undefined };
}

function isPaired(results: Results): boolean {
  return results.probes.some((row) => row.after);
}

/** "95 % intervals (paired bootstrap clustered by problem)" */
function intervals({ statistics }: Results): string {
  return statistics
    ? `${statistics.confidence * 100}\u00a0% intervals (${statistics.interval})`
    : '95\u00a0% intervals';
}
