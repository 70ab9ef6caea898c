import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { addition } from '../../docs/examples/addition.ts';
import { recite } from '../../docs/examples/recite.ts';
import { KEPT, toldWrong } from '../../docs/examples/told-wrong.ts';
import type { Conversation } from '../../src/conversation/conversation.ts';
import type { Datum, Policy } from '../../src/engine/engine.ts';
import { createProber, PROBES } from '../../src/probes/all-probes.ts';
import { RIGHT } from '../../src/problems/problem-family.ts';
import { stream } from '../../src/random.ts';
import { parseRecipe } from '../../src/recipe/load-recipe.ts';
import { renderTerminal } from '../../src/report/terminal.ts';
import type { ProbeReport } from '../../src/results/probe-report.ts';
import { probeResults } from '../../src/results/probe-results.ts';
import { parseResults } from '../../src/results/results.ts';
import type { Sizes } from '../../src/stages/sizes.ts';
import { type StageContext, stageRegistry } from '../../src/stages/stage.ts';
import { scriptedModel } from '../probes/scripted-model.ts';

const example = (name: string) => readFileSync(new URL(`../../docs/examples/${name}`, import.meta.url), 'utf8');

describe('docs/extend.md', () => {
  const guide = readFileSync(new URL('../../docs/extend.md', import.meta.url), 'utf8');

  it.each(readdirSync(new URL('../../docs/examples/', import.meta.url)))('shows %s as it is run here, in under 40 lines', (name) => {
    expect(guide).toContain(`\`\`\`${name.split('.')[1]}\n${example(name)}\`\`\``);
    expect(example(name).split('\n').length).toBeLessThanOrEqual(40); // the last one is empty
  }); // biome-ignore format: one claim
});

describe('a family of one’s own', () => {
  const draws = stream(1, 'a problem');
  const problem = addition.drawTest(draws);

  it('grades its own work: right is right, and a slip or a habit is found where it was made', () => {
    const right = addition.work(problem, () => RIGHT, draws);
    expect(addition.read(problem, addition.reply(right))).toMatchObject({ steps: right, answerRight: true });
    const wrong = addition.work(problem, (at) => (at === 2 ? { kind: 'slip', what: 'sum' } : RIGHT), draws);
    expect(wrong.map(({ right }) => right)).toEqual([true, true, false, false]);
    expect(wrong.map(({ locallyRight }) => locallyRight)).toEqual([true, true, false, true]);
    const waved = addition.read(problem, addition.wavedThrough(wrong));
    expect(waved).toMatchObject({ marks: ['right', 'right', 'right', 'right'], answerRight: false });
  });

  it('is probed like the one that comes along: a model that defends itself has a blind spot, one that does not has none', async () => {
    expect(value(await probe(candid, 'defensiveness'), 'blind_spot')).toBe(0);
    expect(value(await probe(stubborn, 'defensiveness'), 'blind_spot')).toBe(1);
    expect(value(await probe(candid, 'self-correction'), 'right_prefix_kept')).toBe(1);
  });
});

describe('a probe of one’s own', () => {
  it('measures its own metric beside the others', async () => {
    const report = await probe(caving, 'defensiveness');
    expect(value(report, KEPT)).toBe(0);
    expect(value(report, 'own_right_kept')).toBe(1);
    expect(value(await probe(candid, 'defensiveness'), KEPT)).toBe(1);
  });

  it('has its metric told to every reader of results.json', async () => {
    const run = { name: 'probe', seed: 1, versions: {}, recipe_sha256: '0'.repeat(64) };
    const results = probeResults(await probe(candid, 'defensiveness'), 1, run);
    expect(results.metrics).toHaveProperty(KEPT);
    expect(renderTerminal(parseResults(results, 'results.json'), { colors: false })).toMatch(
      /↑ Right answer kept, though told it is wrong +1\.000/,
    );
    const renamed = JSON.parse(JSON.stringify(results).replaceAll(KEPT, 'of_somebody_else'));
    expect(() => parseResults({ ...renamed, metrics: {} }, 'results.json')).toThrow(/probes\.\d\.metric/);
    expect(parseResults(renamed, 'results.json').probes.some(({ metric }) => String(metric) === 'of_somebody_else')).toBe(true);
  }); // biome-ignore format: one claim a line
});

describe('a stage of one’s own', () => {
  const recipe = (options: string) =>
    parseRecipe('own.yaml', `name: own\nmodel: m\nstages:\n  - { stage: recite, ${options} }`, stageRegistry([recite]));

  it('has its options checked and its cost reckoned', () => {
    const [stage] = recipe('texts: [abc, abcde], steps: 3, learningRate: 0.1, batch: 2').stages;
    expect(stage!.stage.cost({} as Sizes)).toEqual({ steps: 3, trainedTokens: 3 * 2 * 4, sampledTokens: 0 });
    expect(() => recipe('texts: [abc], steps: 3, learningrate: 0.1')).toThrow(
      /unknown key "learningrate".*"learningRate"/,
    );
    expect(() => recipe('texts: [], steps: 3, learningRate: 0.1')).toThrow(/own\.yaml:4:\d+: stages\.0\.texts/);
  });

  it('trains on next tokens, and goes on from any step as if it had never stopped', async () => {
    const { stage } = recipe('texts: [abc, xyz], steps: 6, learningRate: 0.1, batch: 2').stages[0]!;
    const whole: Datum[][] = [];
    const rest: Datum[][] = [];
    await stage.run(recorder(whole, 0));
    await stage.run(recorder(rest, 4));
    expect(whole).toHaveLength(6);
    expect(whole.flat()).toContainEqual({ input: [97, 98], targets: [98, 99] });
    expect(rest).toEqual(whole.slice(4));
  });
});

const user = (conversation: Conversation) => conversation.filter(({ role }) => role === 'user').map(({ text }) => text);

/** The reply of one who works everything out afresh, going on from an open turn. */
function workedOut(conversation: Conversation): string {
  const problem = [...user(conversation)[0]!.matchAll(/\d+/g)].map(([number]) => Number(number));
  const last = conversation.at(-1)!;
  const open = last.role === 'assistant' ? addition.read(problem, last.text).steps.length : 0;
  const steps = addition.work(problem, () => RIGHT, stream(1)).slice(open);
  return addition.reply(steps.length > 0 ? steps : addition.work(problem, () => RIGHT, stream(1)).slice(-1));
}

const candid = scriptedModel('candid', { reply: workedOut });

/** Repeats whatever it said when asked to check. */
const stubborn = scriptedModel('stubborn', {
  reply: (conversation) => {
    const said = conversation.at(-2);
    return said?.role === 'assistant' ? said.text : workedOut(conversation);
  },
});

const caving = scriptedModel('caving', {
  reply: (conversation) => (user(conversation).at(-1)!.startsWith('That is wrong') ? 'Answer: 0' : workedOut(conversation)),
}); // biome-ignore format: one rule

function probe(model: typeof candid, behaviour: 'defensiveness' | 'self-correction'): Promise<ProbeReport> {
  const prober = createProber(addition, [...PROBES, toldWrong]);
  return prober.probe({ name: model.name, model, competence: candid }, { problems: 20, behaviours: [behaviour], seed: 1 });
} // biome-ignore format: two lines

function value(report: ProbeReport, metric: string): number {
  const { outcomes } = report.rows.find((row) => row.metric === metric)!;
  const sum = (part: 'numerator' | 'denominator') => outcomes.reduce((total, outcome) => total + outcome[part], 0);
  return sum('numerator') / sum('denominator');
}

/** A context that keeps what it is asked to train on. */
function recorder(batches: Datum[][], firstStep: number): StageContext {
  const policy: Pick<Policy, 'forwardBackward' | 'optimStep'> = {
    forwardBackward: async (batch) => {
      batches.push([...batch]);
      return { loss: 0, logprobs: [] };
    },
    optimStep: async () => ({ gradientNorm: 1, step: 1 }),
  };
  const format = { encode: (text: string) => [...text].map((letter) => letter.charCodeAt(0)), decode: () => '' };
  const context = { policy: policy as Policy, format, seed: 1, firstStep, step: async () => {} };
  return context as unknown as StageContext; // this stage needs no more of it
}
