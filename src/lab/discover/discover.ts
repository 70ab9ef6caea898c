import { z } from 'zod';
import { stream } from '../../random.ts';
import type { Comparison, Finding } from '../../results/lab-finding.ts';
import { estimate } from '../../stats/estimate.ts';
import { wilsonInterval } from '../../stats/wilson.ts';
import { defineExperiment, type LabContext } from '../experiment.ts';
import { train, withSmallModel } from '../text/small-model.ts';
import { leaks, oldFormulas } from './corpus.ts';
import { enumerate, type Found } from './enumerate.ts';
import { GALILEO, LAW } from './formula.ts';
import { FORMULA_SHAPE, formulaDatum, surpriseAtLaw } from './formula-model.ts';
import { METHODS, type Method, type Search, search } from './search.ts';
import { measurements, postulates, type Verifier } from './verifiers.ts';

const options = z.strictObject({
  /** Formulas of the training text. */
  formulas: z.int().min(50).default(6000),
  /** Whether quotients stand in the text: a law of their form is then nearer. */
  rational: z.boolean().default(true),
  /** `measurements`: noisy data up to .95 of light, both signs; `postulates`: no relativistic datum at all. */
  verifier: z.enum(['measurements', 'postulates']).default('measurements'),
  noise: z.number().min(0).max(0.5).default(0.01),
  steps: z.int().positive().default(400),
  /** Verifier calls of each search. */
  calls: z.int().min(50).default(8000),
  batch: z.int().min(8).default(128),
  learningRate: z.number().positive().max(1).default(1e-3),
  seeds: z.int().min(2).max(50).default(4),
});
type Options = z.output<typeof options>;

/** Bits: less is noise of training. */
const GAIN = 3;

/**
 * Trained before relativity, would a model find the law? Formulas as tokens, a training text without the law, and searches that
 * are paid in verifier calls, with enumeration beside them: the law is not hard to find, the question is what makes it probable.
 */
export const discover = defineExperiment({
  name: 'discover',
  claim: 'Trained on everything before relativity, it would never derive relativity.',
  question: 'Can a small model that has never seen the addition of speeds come to it by checking what it writes?',
  minutes: 9,
  declaration: {
    hypothesis: `Learning from the best formulas that a check lets pass makes the law at least ${GAIN} bits more probable than the training text did; policy gradient on the mean does not.`,
    metric:
      'bits of surprise of the law, -log2 of the summed probability of its spellings, before minus after; exact, over seeds (bootstrap)',
    baselines: [
      'enumeration of all functions in order of size',
      'formulas drawn from the grammar',
      'the frozen model',
      'policy gradient with a mean baseline',
      'risk-seeking policy gradient',
    ],
    budget:
      'the same verifier calls for every search, those spent in training included; the text without the law is checked by equality of functions under every exchange of roles',
    against: 'no gain under the priority queue, or as much under the mean baseline',
    notConcluded:
      'that a model derived relativity or discovered physics: the designer knew the law, and grammar, symbols and check were made by those who know it',
  },
  options,
  run: async (context, chosen) => {
    const enumeration = await context.piece('enumeration', () => enumerate(6));
    const results: Row[] = [];
    for (let seed = 0; seed < chosen.seeds; seed++)
      results.push(...(await seedRows(context, chosen, context.seed * 1000 + seed)));
    const slow = await context.piece('a world of low speeds', () => lowSpeedWorld(context, chosen));
    const shuffled = await context.piece('a world without a law', () => lawlessWorld(context, chosen));
    return finding(results, enumeration, slow, shuffled, chosen, context.seed);
  },
});

type Row = {
  readonly seed: number;
  readonly method: Method;
  readonly before: number;
  readonly after: number;
  readonly search: Search;
};

async function seedRows(context: LabContext, chosen: Options, seed: number): Promise<Row[]> {
  const verifier = chosen.verifier === 'postulates' ? postulates : measurements(0.95, chosen.noise, seed);
  const rows: Row[] = [];
  for (const method of METHODS)
    rows.push(await context.piece(`${method}, seed ${seed}`, () => runSearch(context, method, verifier, chosen, seed)));
  return rows;
}

/** Every search starts from the same pre-trained model of its seed. */
function runSearch(
  context: LabContext,
  method: Method,
  verifier: Verifier,
  chosen: Options,
  seed: number,
): Promise<Row> {
  const { formulas } = oldFormulas(chosen.formulas, chosen.rational, stream(seed, 'old formulas'));
  return withSmallModel(FORMULA_SHAPE, seed, async ({ policy }) => {
    await train(policy, {
      steps: chosen.steps,
      learningRate: 2e-3,
      batch: (step) => {
        const draws = stream(seed, 'formulas', step);
        return Array.from({ length: 64 }, () => formulaDatum(draws.pick(formulas)));
      },
      after: (share) => context.progress(share / 4),
    });
    const before = await surpriseAtLaw(policy);
    const size = {
      calls: chosen.calls,
      batch: chosen.batch,
      learningRate: chosen.learningRate,
      seed,
      progress: (share: number) => context.progress(0.25 + 0.75 * share),
    };
    const found = await search(policy, method, verifier, size);
    return { seed, method, before, after: await surpriseAtLaw(policy), search: found };
  });
}

/** At a tenth of light and with this noise Galileo's sum is as good: a search that answers anything else reads tea leaves. */
async function lowSpeedWorld(context: LabContext, chosen: Options): Promise<Row> {
  return runSearch(
    context,
    'priority queue',
    measurements(0.02, Math.max(0.01, chosen.noise), context.seed),
    chosen,
    context.seed * 1000,
  );
}

/** Measurements that belong to other speeds: nothing fits, and nothing may. */
async function lawlessWorld(context: LabContext, chosen: Options): Promise<Row> {
  const draws = stream(context.seed, 'lawless');
  const noise: Verifier = { name: 'noise', score: () => draws.uniform() * 0.2 };
  return runSearch(context, 'priority queue', noise, chosen, context.seed * 1000);
}

function gain(rows: readonly Row[], method: Method): Pick<Comparison, 'value' | 'low' | 'high'> {
  const { value, low, high } = estimate(
    rows
      .filter((row) => row.method === method)
      .map(({ seed, before, after }) => ({ problem: String(seed), numerator: before - after, denominator: 1 })),
    { seed: 1 },
  );
  return { value, low, high };
}

function finding(rows: readonly Row[], enumeration: Found, slow: Row, lawless: Row, chosen: Options, seed: number): Finding {
  const [queue, baseline] = [gain(rows, 'priority queue'), gain(rows, 'mean baseline')];
  const before = rows.reduce((sum, row) => sum + row.before, 0) / rows.length;
  const { formulas, dropped } = oldFormulas(chosen.formulas, chosen.rational, stream(seed * 1000, 'old formulas'));
  const hits = (method: Method) => rows.filter((row) => row.method === method && row.search.hitAt !== null);
  const over = `${chosen.seeds} seeds`;
  return {
    headline: `the law, ${before.toFixed(1)} bits away for the model that never saw it, came ${queue.value.toFixed(1)} bits [${queue.low.toFixed(1)}, ${queue.high.toFixed(1)}] nearer under the priority queue and ${baseline.value.toFixed(1)} under the mean baseline; written in ${hits('priority queue').length} of ${chosen.seeds} searches of ${chosen.calls} calls; enumeration needs ${enumeration.evaluations}`,
    comparisons: [
      { name: 'bits gained on the law, priority queue', unit: 'bits', ...queue, expected: 'above', threshold: GAIN, over },
      { name: 'bits gained on the law, mean baseline', unit: 'bits', ...baseline, expected: 'below', threshold: GAIN, over },
    ],
    figures: [{ title: 'How far away the law is', kind: 'bars', x: '', y: 'bits of surprise, -log2 P(law)', series: [{ name: '', baseline: true, points: [{ x: 'after the old text', y: before }] }, { name: '', points: METHODS.slice(1).map((method) => ({ x: method, y: before - gain(rows, method).value })) }] }],
    tables: [
      { title: 'Searches', columns: ['method', 'law written', '95 % interval', 'calls to the first hit', 'bits gained', 'functions met', 'best formula'], rows: METHODS.map((method) => methodRow(rows, method, hits(method), chosen.seeds)), note: `Enumeration meets the law at evaluation ${enumeration.evaluations} of ${enumeration.functions} functions, in well under a second. Formulas in prefix notation: ${LAW.join(' ')} is the law, ${GALILEO.join(' ')} Galileo's sum.` },
    ],
    scans: [{ data: 'formulas of the training text', method: 'equality of functions with the law under all exchanges of u, v and 1', looked: formulas.length, found: formulas.filter(leaks).length }, { data: 'formulas drawn and left out', method: 'the same', looked: formulas.length + dropped, found: dropped }],
    controls: [
      { name: 'world of low speeds', held: slow.search.hitAt === null || slow.search.best.join(' ') !== LAW.join(' '), what: `best formula ${slow.search.best.join(' ')}` },
      { name: 'world without a law', held: lawless.before - lawless.after < GAIN, what: `${(lawless.before - lawless.after).toFixed(1)} bits gained on the law` },
    ],
    spent: Object.fromEntries([['enumeration', { calls: enumeration.evaluations, tokens: 0 }], ...METHODS.map((method) => [method, { calls: chosen.calls, tokens: chosen.steps * 64 * 10 }])]),
  };
} // biome-ignore format: a field a line

function methodRow(rows: readonly Row[], method: Method, hits: readonly Row[], seeds: number): (string | number)[] {
  const { low, high } = wilsonInterval(hits.length / seeds, seeds);
  const own = rows.filter((row) => row.method === method);
  const best = own.reduce((a, b) => (b.search.score > a.search.score ? b : a));
  const first = hits.map(({ search: found }) => found.hitAt ?? 0).sort((a, b) => a - b);
  const functions = Math.round(own.reduce((sum, row) => sum + row.search.functions, 0) / own.length);
  return [method, `${hits.length} of ${seeds}`, `[${low.toFixed(2)}, ${high.toFixed(2)}]`, first.join(', ') || 'none', gain(rows, method).value, functions, best.search.best.join(' ')];
} // biome-ignore format: one line a statement
