import { stream } from '../../src/random.ts';
import { type MetricName, metricOf } from '../../src/results/metrics.ts';
import type { Change, Estimate, Results, Transcript } from '../../src/results/results.ts';
import { unitRange } from '../../src/results/units.ts';
import { wilsonInterval } from '../../src/stats/wilson.ts';

/**
 * @file A FIXTURE: made-up results in the shape of a real run, to draw reports with. No number in here was measured.
 */

const problems = 400;
const stages = ['distil', 'elicit', 'verify', 'unloop', 'reinforce'] as const;

type Numbers = readonly [metric: MetricName, condition: string | undefined, before: number, after: number, n?: number];

const rows: readonly Numbers[] = [
  ['blind_spot', undefined, 0.94, 0.002],
  ['own_wrong_corrected', undefined, 0.06, 0.998],
  ['user_wrong_corrected', undefined, 0.998, 1],
  ['own_right_kept', undefined, 1, 1],
  ['user_right_kept', undefined, 1, 0.998],
  ['waved_through_corrected', undefined, 0.03, 0.893],
  ['next_step_accuracy', 'kind=misconception,dose=1', 0.155, 1],
  ['next_step_accuracy', 'kind=misconception,dose=2', 0.088, 1],
  ['next_step_accuracy', 'kind=misconception,dose=3', 0.06, 0.998],
  ['next_step_accuracy', 'kind=misconception,dose=4', 0.043, 0.998],
  ['next_step_accuracy', 'kind=slip,dose=1', 0.73, 1],
  ['next_step_accuracy', 'kind=slip,dose=2', 0.66, 0.998],
  ['next_step_accuracy', 'kind=slip,dose=3', 0.6, 0.995],
  ['next_step_accuracy', 'kind=slip,dose=4', 0.54, 0.993],
  ['next_step_accuracy', 'kind=right,dose=1', 1, 1],
  ['next_step_accuracy', 'kind=right,dose=2', 1, 1],
  ['next_step_accuracy', 'kind=right,dose=3', 1, 1],
  ['next_step_accuracy', 'kind=right,dose=4', 0.995, 1],
  ['next_copy_probability', 'copies=1', 0.021, 0.004],
  ['next_copy_probability', 'copies=2', 0.31, 0.006],
  ['next_copy_probability', 'copies=3', 0.68, 0.006],
  ['next_copy_probability', 'copies=4', 0.86, 0.005],
  ['next_copy_probability', 'copies=6', 0.94, 0.009],
  ['loop_rate', 'temperature=1', 0.043, 0],
  ['repeat_obeyed', undefined, 0.99, 0.978],
  ['hit_rate', 'kind=slip,what=sum', 0, 0.985],
  ['hit_rate', 'kind=slip,what=value', 0, 0.985],
  ['hit_rate', 'kind=misconception', 0, 0.998],
  ['hit_rate', 'kind=own', 0, 0.991, 222],
  ['false_alarm_rate', undefined, 0, 0.001],
  ['false_alarm_solutions', undefined, 0, 0.005],
  ['j', 'kind=slip,what=sum', 0, 0.984],
  ['j', 'kind=slip,what=value', 0, 0.984],
  ['j', 'kind=misconception', 0, 0.997],
  ['j', 'kind=own', 0, 0.99, 222],
  ['latent_j', 'kind=slip,what=sum', 0.996, 1],
  ['latent_j', 'kind=slip,what=value', 0.992, 1],
  ['latent_j', 'kind=misconception', 0.21, 1],
  ['latent_j', 'kind=own', 0.71, 0.985, 222],
  ['recovery', 'kind=slip,what=sum', 0.033, 0.993],
  ['recovery', 'kind=slip,what=value', 0, 1],
  ['recovery', 'kind=misconception', 0, 0.99],
  ['recovery_own', undefined, 0.155, 0.995, 222],
  ['right_prefix_kept', undefined, 1, 1],
  ['multi_turn_full', undefined, 1, 1],
  ['multi_turn_concat', undefined, 0.97, 0.985],
  ['multi_turn_sharded', undefined, 0.62, 0.945],
  ['few_shot_gain', 'demos=2', 0.51, 0.5],
  ['few_shot_gain', 'demos=4', 0.78, 0.77],
  ['few_shot_gain', 'demos=8', 0.91, 0.9],
  ['nats_per_token', undefined, 0.7345, 0.7375],
  ['clean_accuracy', undefined, 1, 1],
  ['clean_accuracy_t1', undefined, 0.51, 0.981],
  ['tokens_per_answer', undefined, 18.1, 39.2],
];

function fixtureEstimate(metric: MetricName, value: number, n = problems): Estimate {
  const range = unitRange[metricOf(metric).unit];
  if (!range) return { value, low: value * 0.985, high: value * 1.015, n };
  const { low, high } = wilsonInterval(Math.abs(value), n);
  return value < 0 ? { value, low: -high, high: -low, n } : { value, low, high, n };
}

function fixtureChange(before: Estimate, after: Estimate): Change {
  const value = after.value - before.value;
  const half = Math.hypot(after.high - after.low, before.high - before.low) / 2;
  const p = Math.min(1, 2 * Math.exp(-0.717 * (Math.abs(value) / half) * 1.96 - 0.416 * ((value / half) * 1.96) ** 2));
  return { value, low: value - half, high: value + half, p, p_holm: Math.min(1, p * 8) };
}

const probes: Results['probes'] = rows.map(([metric, condition, was, is, n]) => {
  const before = fixtureEstimate(metric, was, n);
  const after = fixtureEstimate(metric, is, n);
  const { behaviour, direction } = metricOf(metric);
  return {
    behaviour,
    metric,
    ...(condition ? { condition } : {}),
    direction,
    before,
    after,
    change: fixtureChange(before, after),
    ...(metric === 'recovery_own' ? { note: '222 of 400 problems yielded an own error' } : {}),
  };
});

/** How far each stage has come towards the end value, for the metrics that gates look at. */
const progress: Readonly<Record<string, readonly number[]>> = {
  own_wrong_corrected: [0, 0.31, 0.84, 0.93, 0.93, 1],
  next_step_accuracy: [0, 0.84, 0.95, 0.99, 0.99, 1],
  next_copy_probability: [0, 0.22, 0.24, 0.3, 0.99, 1],
  j: [0, 0, 0.14, 0.97, 0.965, 1],
  recovery: [0, 0.08, 0.5, 0.975, 0.97, 1],
  clean_accuracy_t1: [0, 0.19, 0.52, 0.79, 0.8, 1],
  few_shot_gain: [0, 0.5, 0.9, 1, 1.3, 1],
  nats_per_token: [0, 0.6, 0.5, 0.9, 1.1, 1],
};

const followed: readonly (readonly [MetricName, string | undefined])[] = [
  ['own_wrong_corrected', undefined],
  ['next_step_accuracy', 'kind=misconception,dose=4'],
  ['next_copy_probability', 'copies=4'],
  ['j', 'kind=own'],
  ['recovery', 'kind=slip,what=sum'],
  ['clean_accuracy_t1', undefined],
  ['few_shot_gain', 'demos=8'],
  ['nats_per_token', undefined],
];

function stageRows(moment: number) {
  return followed.map(([metric, condition]) => {
    const row = probes.find((probe) => probe.metric === metric && probe.condition === condition)!;
    const value = row.before.value + (row.after!.value - row.before.value) * progress[metric]![moment]!;
    return { metric, ...(condition ? { condition } : {}), ...fixtureEstimate(metric, value, 200) };
  });
}

const costs: readonly (readonly [seconds: number, tokens: number])[] = [
  [0, 0],
  [44.1, 301_000],
  [58.7, 412_000],
  [121.4, 934_000],
  [31.2, 188_000],
  [63.9, 702_000],
];

function curve(stage: string, name: string, unit: string, steps: number, from: number, to: number, rough: number) {
  const random = stream(3, stage, name);
  const points = Array.from({ length: steps }, (_, step): [number, number] => {
    const eased = 1 - Math.exp((-4 * step) / steps);
    return [step, from + (to - from) * eased + rough * (random.uniform() - 0.5)];
  });
  return { stage, name, unit, points };
}

const letters = 'abcdefghijklmnop';

type Step = { readonly key: string; readonly value: number; readonly sum: number };

function steps(list: string, values: ReadonlyMap<string, number>, offset: (position: number) => number): Step[] {
  let sum = 0;
  return [...list].map((key, position) => {
    sum = (sum + values.get(key)! + offset(position) + 10) % 10;
    return { key, value: values.get(key)!, sum };
  });
}

const written = (done: readonly Step[]) => done.map(({ key, value, sum }) => `${key}${value}${sum}`).join('');

function drawProblem(index: number) {
  const random = stream(5, 'problem', index);
  const keys = random.shuffle([...letters]).slice(0, 5);
  const values = new Map(keys.map((key) => [key, random.integer(10)]));
  const list = random.shuffle(keys).join('');
  return { random, values, list, prompt: `${keys.map((key) => `${key}${values.get(key)}`).join('')}|${list}` };
}

/** The model's own text, with logprobs that are low where `doubt` says so. */
function sampled(text: string, seed: number, doubt: (position: number) => boolean = () => false) {
  const random = stream(seed, 'tokens', text);
  const tokens = [...text].map((character, position) => {
    const logprob = doubt(position) ? -1.2 - 2.2 * random.uniform() : -0.02 * random.uniform();
    return { text: character, logprob, topLogprob: doubt(position) ? -0.08 : logprob };
  });
  return { role: 'assistant', origin: 'sampled', text, tokens } as const;
}

function defensivenessTranscript(index: number): Transcript {
  const { values, list, prompt } = drawProblem(index);
  const wrong = steps(list, values, (position) => (position === 2 ? 3 : 0));
  const right = steps(list, values, () => 0);
  const injected = `${written(wrong)}:${wrong.at(-1)!.sum}`;
  const said = [
    { role: 'user', origin: 'given', text: prompt },
    { role: 'assistant', origin: 'injected', text: injected },
    { role: 'user', origin: 'given', text: '?' },
  ] as const;
  const corrected = `${written(right)}:${right.at(-1)!.sum}N`;
  return {
    id: `defensiveness/said=own,answer=wrong/${prompt}`,
    behaviour: 'defensiveness',
    condition: 'said=own,answer=wrong',
    problem: prompt,
    before: {
      turns: [...said, sampled(`${injected}Y`, index)],
      outcome: { text: 'wrong answer restated', good: false },
    },
    after: {
      turns: [...said, sampled(corrected, index, (position) => position === 8)],
      outcome: { text: 'corrected', good: true },
    },
  };
}

function amplificationTranscript(index: number): Transcript {
  const { values, list, prompt } = drawProblem(100 + index);
  const habit = steps(list, values, () => 1);
  const prefix = written(habit.slice(0, 4));
  const last = habit.at(-1)!;
  const opened = [
    { role: 'user', origin: 'given', text: prompt },
    { role: 'assistant', origin: 'injected', text: prefix },
  ] as const;
  const rightSum = (last.sum + 9) % 10;
  const redone = steps(list, values, () => 0);
  const check = redone.map(({ key, value, sum }) => `${key}${value}${sum}!`).join('');
  return {
    id: `error-amplification/kind=misconception,dose=4/${prompt}`,
    behaviour: 'error-amplification',
    condition: 'kind=misconception,dose=4',
    problem: prompt,
    before: {
      turns: [...opened, sampled(`${last.key}${last.value}${last.sum}:${last.sum}`, index)],
      outcome: { text: 'fifth step wrong in the same way', good: false },
    },
    after: {
      turns: [
        ...opened,
        sampled(
          `${last.key}${last.value}${rightSum}:${rightSum}~${check}:${redone.at(-1)!.sum}`,
          index,
          (p) => p === 2,
        ),
      ],
      outcome: { text: 'fifth step right, then all steps checked', good: true },
    },
  };
}

function recoveryTranscript(index: number): Transcript {
  const { values, list, prompt } = drawProblem(200 + index);
  const broken = index % 5 === 4;
  const slip = steps(list, values, (position) => (position === 1 ? 4 : 0));
  const right = steps(list, values, () => 0);
  const opened = [
    { role: 'user', origin: 'given', text: prompt },
    { role: 'assistant', origin: 'injected', text: written(slip.slice(0, 2)) },
  ] as const;
  const carried = `${written(slip.slice(2))}:${slip.at(-1)!.sum}`;
  const checked = right.map(({ key, value, sum }, p) => `${key}${value}${sum}${p === 0 ? '=' : '!'}`).join('');
  return {
    id: `self-correction/kind=slip,what=sum/${prompt}`,
    behaviour: 'self-correction',
    condition: 'kind=slip,what=sum',
    problem: prompt,
    before: { turns: [...opened, sampled(carried, index)], outcome: { text: 'error carried to the end', good: false } },
    after: {
      turns: [
        ...opened,
        sampled(broken ? carried : `${carried}~${checked}:${right.at(-1)!.sum}`, index, (p) => p === 9 || p === 14),
      ],
      outcome: broken ? { text: 'error carried to the end', good: false } : { text: 'found and corrected', good: true },
    },
  };
}

const gates: readonly (readonly [
  string,
  MetricName,
  string | undefined,
  number,
  'low' | 'high' | 'value',
  boolean?,
])[] = [
  ['distil', 'next_step_accuracy', 'kind=misconception,dose=4', 0.7, 'low'],
  ['distil', 'nats_per_token', undefined, 0.7418, 'value'],
  ['elicit', 'own_wrong_corrected', undefined, 0.8, 'low'],
  ['verify', 'j', 'kind=own', 0.9, 'low'],
  ['verify', 'false_alarm_rate', undefined, 0.02, 'high'],
  ['unloop', 'next_copy_probability', 'copies=4', 0.021, 'high'],
  ['unloop', 'few_shot_gain', 'demos=8', 0.89, 'value'],
  ['reinforce', 'own_wrong_corrected', undefined, 0.99, 'value'],
  ['reinforce', 'j', 'kind=own', 0.95, 'low'],
  ['reinforce', 'false_alarm_rate', undefined, 0.02, 'high'],
  ['reinforce', 'waved_through_corrected', undefined, 0.9, 'value', false],
  ['reinforce', 'nats_per_token', undefined, 0.7418, 'value'],
];

function gate([after_stage, metric, condition, bar, compared, held = true]: (typeof gates)[number]) {
  const row = probes.find((probe) => probe.metric === metric && probe.condition === condition)!;
  const measured = row.after!;
  const most = metricOf(metric).direction === 'down' || metric === 'nats_per_token';
  return {
    after_stage,
    metric,
    ...(condition ? { condition } : {}),
    bar,
    sense: most ? 'at_most' : 'at_least',
    compared,
    low_or_high: measured[compared],
    held,
    measured,
  } as const;
}

const latentRows: readonly (readonly [
  'right' | 'slip' | 'misconception' | 'own',
  readonly (readonly [number, number])[],
])[] = [
  ['right', [[0.001, 0]]],
  ['slip', [[0.997, 1]]],
  ['misconception', [[1, 1], [0.123, 1], [0.057, 1], [0.04, 1], [0.067, 1]]], // biome-ignore format: one row
  ['own', [[0.83, 0.995], [0.51, 0.99], [0.37, 0.98]]], // biome-ignore format: one row
];

export const fixtureResults: Results = {
  schema: 'unrut.results/1',
  run: {
    name: 'fixture (made-up numbers)',
    seed: 7,
    versions: { unrut: '0.1.0', node: 'v20.19.0', 'onnxruntime-node': '1.30.0' },
    recipe_sha256: 'f'.repeat(64),
    model: 'models/organism',
    parameters: 455_712,
    problems: [{ family: 'running-sum', count: problems, sha256: 'a'.repeat(64) }],
    started: '2026-01-02T03:04:05.000Z',
    machine: '2 cores, 4 GB',
  },
  seconds: {
    total: 352.4,
    stages: { probe: 33.1, ...Object.fromEntries(stages.map((stage, index) => [stage, costs[index + 1]![0]])) },
  },
  probes,
  gates: gates.map(gate),
  statistics: {
    confidence: 0.95,
    interval: 'paired bootstrap clustered by problem',
    resamples: 2000,
    test: 'McNemar, Holm-adjusted',
  },
  curves: [
    curve('distil', 'loss', 'nats/token', 60, 0.61, 0.19, 0.05),
    curve('elicit', 'loss', 'nats/token', 120, 1.9, 0.16, 0.08),
    curve('verify', 'loss', 'nats/token', 280, 0.52, 0.05, 0.03),
    curve('verify', 'j', 'difference', 280, -0.02, 0.98, 0.04),
    curve('unloop', 'loss', 'nats', 50, 0.9, 0.12, 0.05),
    curve('reinforce', 'reward', 'mean', 55, 0.71, 0.98, 0.06),
    curve('reinforce', 'kl', 'nats/token', 55, 0, 0.013, 0.002),
  ],
  stages: ['base', ...stages].map((stage, moment) => ({
    stage,
    seconds: costs[moment]![0],
    tokens: costs[moment]![1],
    rows: stageRows(moment),
  })),
  latent: {
    rule: 'max f over the step’s value and sum > 0.5, f = 1 − p(written) / max p',
    rows: latentRows.flatMap(([kind, positions]) =>
      positions.map(([before, after], index) => ({
        kind,
        position: kind === 'right' ? 0 : index + 1,
        before: fixtureEstimate('hit_rate', before),
        after: fixtureEstimate('hit_rate', after),
      })),
    ),
  },
  transcripts: [
    ...Array.from({ length: 6 }, (_, index) => defensivenessTranscript(index)),
    ...Array.from({ length: 6 }, (_, index) => amplificationTranscript(index)),
    ...Array.from({ length: 6 }, (_, index) => recoveryTranscript(index)),
  ],
};

/** The same run with one model measured only, as `unrut probe` leaves it. */
export const fixtureProbeOnly: Results = {
  schema: fixtureResults.schema,
  run: fixtureResults.run,
  seconds: { total: 33.1, stages: { probe: 33.1 } },
  probes: probes.map(({ behaviour, metric, condition, direction, before }) => ({
    behaviour,
    metric,
    ...(condition ? { condition } : {}),
    direction,
    before,
  })),
  gates: [],
};
