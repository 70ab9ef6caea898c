import { beforeAll, describe, expect, it } from 'vitest';
import { createProber } from '../../src/probes/all-probes.ts';
import { runningSumFamily } from '../../src/problems/running-sum-family.ts';
import { behaviours } from '../../src/results/metrics.ts';
import type { ProbeReport } from '../../src/results/probe-report.ts';
import { driveless, rutted } from './running-sum-scripts.ts';
import { scriptedModel } from './scripted-model.ts';

/** The value of a row: its sum of numerators over its sum of denominators. */
function value(report: ProbeReport, metric: string, condition?: string): number {
  const found = report.rows.find((row) => row.metric === metric && row.condition === condition);
  if (found === undefined) throw new Error(`no row ${metric} ${condition ?? ''}`);
  const sum = (part: 'numerator' | 'denominator') =>
    found.outcomes.reduce((total, outcome) => total + outcome[part], 0);
  return sum('numerator') / sum('denominator');
}

function probe(script: typeof driveless): Promise<ProbeReport> {
  const model = scriptedModel('scripted', script);
  const settings = { problems: 40, behaviours: behaviours(), seed: 1 };
  return createProber(runningSumFamily).probe({ name: 'scripted', model, competence: model }, settings);
}

describe('the negative control: a model without the drive', () => {
  let report: ProbeReport;
  beforeAll(async () => {
    report = await probe(driveless);
  });

  it.each([
    ['blind_spot', undefined, 0],
    ['own_wrong_corrected', undefined, 1],
    ['user_wrong_corrected', undefined, 1],
    ['own_right_kept', undefined, 1],
    ['user_right_kept', undefined, 1],
    ['waved_through_corrected', undefined, 1],
    ['next_step_accuracy', 'kind=misconception,dose=4', 1],
    ['next_step_accuracy', 'kind=slip,dose=4', 1],
    ['next_step_accuracy', 'kind=right,dose=4', 1],
    ['loop_rate', 'temperature=1', 0],
    ['repeat_obeyed', undefined, 1],
    ['hit_rate', 'kind=slip,what=sum', 1],
    ['hit_rate', 'kind=slip,what=value', 1],
    ['false_alarm_rate', undefined, 0],
    ['false_alarm_solutions', undefined, 0],
    ['j', 'kind=misconception', 1],
    ['latent_j', 'kind=misconception', 1],
    ['recovery', 'kind=slip,what=sum', 1],
    ['recovery', 'kind=misconception', 1],
    ['right_prefix_kept', undefined, 1],
    ['multi_turn_full', undefined, 1],
    ['few_shot_gain', 'demos=8', 1],
    ['clean_accuracy', undefined, 1],
  ])('says so: %s %s is %d', (metric, condition, expected) => {
    expect(value(report, metric, condition)).toBe(expected);
  });

  it('sees no rise in the probability of a copy', () => {
    expect(value(report, 'next_copy_probability', 'copies=4')).toBeLessThan(0.01);
  });
});

describe('a model that is all drive', () => {
  let report: ProbeReport;
  beforeAll(async () => {
    report = await probe(rutted);
  });

  it.each([
    ['blind_spot', undefined, 1],
    ['own_wrong_corrected', undefined, 0],
    ['user_wrong_corrected', undefined, 1],
    ['own_right_kept', undefined, 1],
    ['next_step_accuracy', 'kind=misconception,dose=1', 0],
    ['next_step_accuracy', 'kind=misconception,dose=4', 0],
    ['next_step_accuracy', 'kind=right,dose=4', 1],
    ['hit_rate', 'kind=slip,what=sum', 0],
    ['false_alarm_rate', undefined, 0],
    ['j', 'kind=slip,what=value', 0],
    ['right_prefix_kept', undefined, 1],
    ['clean_accuracy', undefined, 1],
  ])('is caught: %s %s is %d', (metric, condition, expected) => {
    expect(value(report, metric, condition)).toBe(expected);
  });

  it('hardly recovers: only where its habit adds up to nothing', () => {
    expect(value(report, 'recovery', 'kind=slip,what=sum')).toBeLessThan(0.2);
  });

  it('copies more the more often it has copied', () => {
    const ladder = [1, 2, 3, 4, 6].map((copies) => value(report, 'next_copy_probability', `copies=${copies}`));
    expect(ladder).toEqual([...ladder].sort((a, b) => a - b));
    expect(ladder.at(-1)! - ladder[0]!).toBeGreaterThan(0.9);
  });
});

it('measures what needs no competence of a model that solves nothing, and says what it saw', async () => {
  const { problems, rows, skipped } = await probe({ ...driveless, reply: () => 'no idea' });
  const [{ gate } = {}] = problems;
  expect(gate).toMatchObject({ passed: 0, replies: { right: 0, wrong: 0 }, shown: { outcome: 'unreadable', text: 'no idea' } });
  expect(gate?.replies?.unreadable).toBe(4 * gate!.drawn);
  const measured = new Set(rows.map(({ metric }) => metric));
  for (const metric of ['next_copy_probability', 'loop_rate', 'repeat_obeyed', 'few_shot_gain', 'latent_j', 'clean_accuracy']) {
    expect(measured).toContain(metric);
  }
  for (const metric of ['j', 'hit_rate', 'recovery', 'blind_spot']) expect(measured).not.toContain(metric);
  const why = `needs problems that the model solves; it solved none of ${gate?.drawn} problems; of ${4 * gate!.drawn} replies 0 were right, 0 wrong and ${4 * gate!.drawn} unreadable`;
  expect(skipped?.filter((one) => one.why === why).map(({ behaviour, metric }) => metric ?? behaviour)).toEqual([
    'defensiveness', 'error-amplification', 'j', 'self-correction', 'multi-turn',
  ]);
}); // biome-ignore format: one list a line

it('measures the same problems in the same order for the same seed', async () => {
  const [first, second] = [await probe(driveless), await probe(driveless)];
  expect(first).toEqual(second);
});
