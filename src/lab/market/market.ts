import { z } from 'zod';
import type { Finding } from '../../results/lab-finding.ts';
import { defineExperiment, type LabContext } from '../experiment.ts';
import { BINS, binEdges, binOf, bitsOf } from './bins.ts';
import { blockGain, type Gain } from './block-bootstrap.ts';
import { BASELINES } from './predictors.ts';
import { type Returns, readReturns, shuffledReturns, withMomentum } from './series.ts';
import { transformerPredictions } from './transformer.ts';

const options = z.strictObject({
  /** `generated`, `sp500` (needs the npm package vega-datasets), or a CSV file with a column of prices. */
  series: z.string().default('generated'),
  /** Of a generated series. */
  days: z.int().min(400).default(5000),
  steps: z.int().positive().default(300),
  rows: z.int().positive().default(32),
  context: z.int().min(8).max(512).default(64),
  width: z.int().multipleOf(32).default(64),
  layers: z.int().positive().default(2),
  learningRate: z.number().positive().max(1).default(1e-3),
  /** What is planted into the direction for the positive control. */
  planted: z.number().min(0).max(0.9).default(0.4),
});
type Options = z.output<typeof options>;

/** A hundredth of a bit a day: less is nothing that anyone could use. */
const WORTH = 0.01;

const TRAINED = 0.75;

/**
 * Trained on prices, is a language model a market predictor? Bits a day of direction and of size apart, beside what simple
 * baselines gain. The last quarter of the days is looked at once.
 */
export const market = defineExperiment({
  name: 'market',
  claim: 'Trained on stock prices, it would be a market predictor.',
  question: 'Does a transformer on daily returns know the direction of tomorrow, or only how large the move will be?',
  minutes: 4,
  declaration: {
    hypothesis: `The direction of the next day is worth less than ${WORTH} bit a day to the transformer, while the size of its move is worth more than that, for volatility comes in clusters.`,
    metric:
      'bits a day gained over the histogram of the training days, direction and size apart; last quarter of the days in time order; moving-block bootstrap of 20 days',
    baselines: [
      'histogram of the training days',
      'order-1 Markov',
      'volatility state (exponential average, decay .94)',
      'sign of yesterday (AR(1))',
      'volatility state with sign',
    ],
    budget:
      'one transformer below 0.2 M parameters; bin edges and all counts from the training days; the test days are scored once',
    against: `a gain on direction whose interval lies above ${WORTH} bit, or no gain on size`,
    notConcluded:
      'anything about profit, costs or a strategy; that no one can predict; that another series, horizon or input would give the same',
  },
  options,
  run: async (context, chosen) => {
    const series = readReturns(chosen.series, chosen.days, context.seed);
    const main = await studied(context, series, chosen);
    const planted = await studied(context, withMomentum(series, chosen.planted), chosen);
    const shuffled = await studied(context, shuffledReturns(series, context.seed), chosen);
    return finding(main, planted, shuffled, chosen);
  },
});

type Row = { readonly name: string; readonly all: Gain; readonly sign: Gain; readonly size: Gain };

type Study = { readonly name: string; readonly rows: Row[]; readonly days: number };

const studied = (context: LabContext, series: Returns, chosen: Options): Promise<Study> =>
  context.piece(series.name, () => study(context, series, chosen));

/** Every predictor on a series, as gains over the histogram. */
async function study(context: LabContext, { name, values }: Returns, chosen: Options): Promise<Study> {
  const from = Math.floor(values.length * TRAINED);
  const edges = binEdges(values.slice(0, from));
  const bins = values.map((value) => binOf(value, edges));
  const model = await transformerPredictions(bins, from, chosen, context.seed, (share) => context.progress(share));
  const all = [...BASELINES.map((one) => ({ name: one.name, days: one.predict(bins, values, from) })), { name: 'transformer', days: model }];
  const bits = all.map((one) => one.days.map((day, at) => bitsOf(day, bins[from + at] ?? 0)));
  const plain = bits[0] ?? [];
  const gain = (own: typeof plain, part: 'all' | 'sign' | 'size') => blockGain(own.map((day, at) => (plain[at]?.[part] ?? 0) - day[part]));
  const rows = all.map((one, index) => ({ name: one.name, all: gain(bits[index] ?? [], 'all'), sign: gain(bits[index] ?? [], 'sign'), size: gain(bits[index] ?? [], 'size') }));
  return { name, rows, days: bins.length - from };
} // biome-ignore format: one line a statement

const transformerOf = ({ rows }: Study): Row => rows.at(-1) as Row; // study puts it last

function finding(main: Study, planted: Study, shuffled: Study, chosen: Options): Finding {
  const { sign, size } = transformerOf(main);
  const found = transformerOf(planted).sign;
  const none = transformerOf(shuffled).all;
  const over = `${main.days} days in blocks of 20`;
  return {
    headline: `direction ${sign.value.toFixed(4)} bit a day [${sign.low.toFixed(4)}, ${sign.high.toFixed(4)}], size ${size.value.toFixed(3)} [${size.low.toFixed(3)}, ${size.high.toFixed(3)}]: what can be learnt is how large the move will be`,
    comparisons: [
      { name: 'direction, transformer over histogram', unit: 'bits/day', value: sign.value, low: sign.low, high: sign.high, expected: 'below', threshold: WORTH, over },
      { name: 'size, transformer over histogram', unit: 'bits/day', value: size.value, low: size.low, high: size.high, p: size.p, expected: 'above', threshold: 0, over },
    ],
    figures: [bars('Gain on the size of the move', main, 'size'), bars('Gain on the direction', main, 'sign')],
    tables: [table(main), table(planted), table(shuffled)],
    scans: [{ data: 'test days', method: 'all of them lie behind the last training day; bin edges come from the training days', looked: main.days, found: 0 }],
    controls: [
      { name: 'shuffled days', held: none.low <= WORTH, what: `transformer gains ${none.value.toFixed(4)} bit a day [${none.low.toFixed(4)}, ${none.high.toFixed(4)}]` },
      { name: `momentum ${chosen.planted} planted (must be found)`, held: found.low > 0, what: `direction ${found.value.toFixed(4)} bit a day [${found.low.toFixed(4)}, ${found.high.toFixed(4)}]` },
    ],
    spent: { transformer: { calls: 0, tokens: 3 * chosen.steps * chosen.rows * chosen.context } },
  };
} // biome-ignore format: a field a line

function bars(title: string, { rows, name }: Study, part: 'sign' | 'size'): Finding['figures'][number] {
  const points = rows
    .slice(1)
    .map((row) => ({ x: row.name, y: row[part].value, low: row[part].low, high: row[part].high }));
  return {
    title: `${title}: ${name}`,
    kind: 'bars',
    x: '',
    y: 'bits a day over the histogram',
    series: [{ name: '', points }],
    mark: { value: WORTH, name: `${WORTH} bit` },
  };
}

function table({ name, rows, days }: Study): Finding['tables'][number] {
  const cells = ({ value, low, high }: Gain) => `${value.toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}]`;
  return {
    title: `${name}: bits a day gained over the histogram, ${days} test days`,
    columns: ['predictor', 'in all', 'direction', 'size'],
    rows: rows.slice(1).map((row) => [row.name, cells(row.all), cells(row.sign), cells(row.size)]),
    note: `${BINS} bins, half of them below zero.`,
  };
}
