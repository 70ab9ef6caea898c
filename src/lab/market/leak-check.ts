import { z } from 'zod';
import type { Finding } from '../../results/lab-finding.ts';
import { mean } from '../../stats/mean.ts';
import { defineExperiment } from '../experiment.ts';
import { blockGain } from './block-bootstrap.ts';
import { readReturns } from './series.ts';

const options = z.strictObject({
  series: z.string().default('generated'),
  days: z.int().min(400).default(3000),
  /** `window`: each window is scaled by its own mean and spread, its future included; `train`: by those of the training days. */
  scale: z.enum(['window', 'train']).default('window'),
  /** Days that are read, and days ahead that are predicted. */
  lookback: z.int().min(2).default(20),
  horizon: z.int().min(1).default(20),
});
type Options = z.output<typeof options>;

/** Explained variance beyond which a forecast of returns is too good to be true. */
const TOO_GOOD = 0.02;

/**
 * How scaling by the future invents skill: a cubic of one number, where the last price read lies in its window, predicts
 * the mean price of the days ahead. Where a window is scaled by a mean and spread that hold its own future, the forecast looks
 * good on any series, a random walk too.
 */
export const leakCheck = defineExperiment({
  name: 'leak-check',
  claim: 'A published market model predicts returns out of sample.',
  question: 'Does a scaling that has seen the future invent skill on this series?',
  minutes: 1,
  declaration: {
    hypothesis: `Scaled as asked, the one-feature forecast explains more than ${TOO_GOOD} of the variance out of sample; scaled by the training days it does not.`,
    metric:
      'explained variance of the scaled change from the last price to the mean of the days ahead, over the mean of the training windows; last quarter of the days; moving-block bootstrap',
    baselines: ['the same forecast, scaled by the training days alone', 'the mean of the training windows'],
    budget: 'one least-squares fit of four coefficients a scaling',
    against: 'no gain under the scaling that was asked for',
    notConcluded:
      'that a certain published model has this leak: only that a pipeline scaled like this shows skill where there is none',
  },
  options,
  run: async (context, chosen) => {
    const { values } = readReturns(chosen.series, chosen.days, context.seed);
    const asked = await context.piece(`scaled by ${chosen.scale}`, () => explained(values, chosen));
    const honest = await context.piece('scaled by the training days', () =>
      explained(values, { ...chosen, scale: 'train' }),
    );
    return finding(asked, honest, chosen);
  },
});

type Share = { readonly value: number; readonly low: number; readonly high: number; readonly windows: number };

function finding(asked: Share, honest: Share, { scale }: Options): Finding {
  const point = (name: string, { value, low, high }: Share) => ({ x: name, y: value, low, high });
  return {
    headline: `scaled by ${scale} the forecast explains ${asked.value.toFixed(3)} of the variance [${asked.low.toFixed(3)}, ${asked.high.toFixed(3)}], by the training days ${honest.value.toFixed(3)}`,
    comparisons: [{ name: `explained variance, scaled by ${scale}`, unit: 'share', value: asked.value, low: asked.low, high: asked.high, expected: 'above', threshold: TOO_GOOD, over: `${asked.windows} windows in blocks` }],
    figures: [{ title: 'Skill that the scaling invents', kind: 'bars', x: '', y: 'explained variance out of sample', series: [{ name: '', points: [point(`scaled by ${scale}`, asked), point('scaled by the training days', honest)] }] }],
    tables: [],
    scans: [],
    controls: [{ name: 'scaled by the training days', held: honest.low <= TOO_GOOD, what: `${honest.value.toFixed(3)} of the variance` }],
    spent: {},
  };
} // biome-ignore format: a field a line

type Window = { readonly feature: number; readonly target: number };

function explained(values: readonly number[], { scale, lookback, horizon }: Options): Share {
  const from = Math.floor(values.length * 0.75);
  const levels = cumulated(values);
  const spread = deviation(values.slice(0, from)) * Math.sqrt(horizon);
  const windows = Array.from({ length: values.length - lookback - horizon }, (_, at): Window => {
    const whole = levels.slice(at, at + lookback + horizon);
    const read = scale === 'window' ? whole : whole.slice(0, lookback);
    const unit = scale === 'window' ? deviation(whole) || 1 : spread;
    const last = whole[lookback - 1] ?? 0;
    return { feature: (last - mean(read)) / unit, target: (mean(whole.slice(lookback)) - last) / unit };
  });
  const [train, test] = [windows.slice(0, from - lookback - horizon), windows.slice(from)];
  const coefficients = cubic(train);
  const middle = mean(train.map(({ target }) => target));
  const total = mean(test.map(({ target }) => (target - middle) ** 2));
  const gains = test.map(({ feature, target }) => ((target - middle) ** 2 - (target - cubicValue(coefficients, feature)) ** 2) / total);
  const { value, low, high } = blockGain(gains, Math.min(lookback + horizon, Math.floor(gains.length / 4)));
  return { value, low, high, windows: test.length };
} // biome-ignore format: one line a statement

/** Logarithmic prices, from 0. */
function cumulated(values: readonly number[]): number[] {
  let level = 0;
  return values.map((value) => {
    level += value;
    return level;
  });
}

function deviation(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - centre) ** 2)));
}

const POWERS: readonly number[] = [0, 1, 2, 3];

const cubicValue = (coefficients: readonly number[], x: number): number =>
  POWERS.reduce<number>((sum, power) => sum + (coefficients[power] ?? 0) * x ** power, 0);

/** Least squares of target on 1, x, x^2, x^3: the normal equations, by elimination. */
export function cubic(windows: readonly Window[]): number[] {
  const rows: number[][] = POWERS.map((row) => [
    ...POWERS.map((column) => windows.reduce((sum, { feature }) => sum + feature ** (row + column), 0)),
    windows.reduce((sum, { feature, target }) => sum + target * feature ** row, 0),
  ]);
  for (const pivot of POWERS) {
    const top = (rows[pivot] ?? []).map((value) => value / (rows[pivot]?.[pivot] ?? 1));
    rows.forEach((row, at) => {
      const factor = row[pivot] ?? 0;
      rows[at] = at === pivot ? top : row.map((value, column) => value - factor * (top[column] ?? 0));
    });
  }
  return rows.map((row) => row.at(-1) ?? 0);
}
