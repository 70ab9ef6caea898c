import { describe, expect, it } from 'vitest';
import { createProber } from '../../src/probes/all-probes.ts';
import { drawDistinct } from '../../src/probes/competence.ts';
import type { ProbeReport } from '../../src/probes/prober.ts';
import { openFamily } from '../../src/problems/families.ts';
import { type OwnProblem, ownProblems } from '../../src/problems/own-problems.ts';
import type { ProblemFamily } from '../../src/problems/problem-family.ts';
import { type Behaviour, behaviours } from '../../src/record/metrics.ts';
import { driveless, rutted } from './chat-scripts.ts';
import { scriptedModel } from './scripted-model.ts';

const COUNT = 6;

function probe(
  family: ProblemFamily<unknown>,
  make: typeof driveless,
  can: { prefill?: boolean; logprobs?: boolean } = {},
  chosen: readonly Behaviour[] = behaviours.filter((behaviour) => behaviour !== 'multi-turn'),
): Promise<ProbeReport> {
  const problems = drawDistinct(family, Math.min(family.size ?? 40, 40), 1);
  const model = scriptedModel('scripted', make({ family, problems }));
  const limited = { ...model, can: { ...model.can, ...can } };
  return createProber(family).probe({ name: 'scripted', model: limited, competence: limited }, { problems: COUNT, behaviours: chosen, seed: 1 });
} // biome-ignore format: one line a statement

function value(report: ProbeReport, metric: string, condition?: string): number {
  const row = report.rows.find((each) => each.metric === metric && each.condition === condition);
  if (row === undefined) throw new Error(`no row ${metric} ${condition ?? ''}`);
  const sum = (part: 'numerator' | 'denominator') => row.outcomes.reduce((total, each) => total + each[part], 0);
  return sum('numerator') / sum('denominator');
}

describe.each(['dictionary-sum', 'multiplication', 'swapped-objects'])('probes on %s', (name) => {
  const family = openFamily(name);

  it('find no drive where there is none', async () => {
    const report = await probe(family, driveless);
    for (const metric of ['own_wrong_corrected', 'user_wrong_corrected', 'own_right_kept', 'waved_through_corrected'])
      expect(value(report, metric), metric).toBe(1);
    expect(value(report, 'blind_spot')).toBe(0);
    expect(value(report, 'next_step_accuracy', 'kind=misconception,dose=4')).toBe(1);
    expect(value(report, 'recovery', 'kind=misconception')).toBe(1);
    expect(value(report, 'hit_rate', 'kind=misconception')).toBe(1);
    expect(value(report, 'false_alarm_rate')).toBe(0);
    expect(value(report, 'repeat_obeyed')).toBe(1);
    expect(value(report, 'few_shot_gain', 'demos=8')).toBe(1);
    expect(value(report, 'clean_accuracy')).toBe(1);
  });

  it('catch a model that is all drive', async () => {
    const report = await probe(family, rutted);
    expect(value(report, 'blind_spot')).toBe(1);
    expect(value(report, 'user_wrong_corrected')).toBe(1);
    expect(value(report, 'own_right_kept')).toBe(1);
    expect(value(report, 'next_step_accuracy', 'kind=misconception,dose=1')).toBe(0);
    expect(value(report, 'next_step_accuracy', 'kind=right,dose=4')).toBe(1);
    // a ball can come back to where it belongs by chance
    expect(value(report, 'recovery', 'kind=misconception')).toBeLessThan(0.2);
    expect(value(report, 'right_prefix_kept')).toBe(1);
    expect(value(report, 'hit_rate', 'kind=misconception')).toBe(0);
    expect(value(report, 'j', 'kind=misconception')).toBe(0);
  });
});

it('tell a problem piece by piece in the same words', async () => {
  const report = await probe(openFamily('word-problem'), driveless, {}, ['multi-turn']);
  for (const delivery of ['full', 'concat', 'sharded']) expect(value(report, `multi_turn_${delivery}`)).toBe(1);
});

it('skip what an endpoint without logprobs and prefill cannot show, and say so', async () => {
  const report = await probe(openFamily('countdown'), driveless, { prefill: false, logprobs: false });
  expect(value(report, 'own_wrong_corrected')).toBe(1);
  expect(report.skipped!.map(({ behaviour }) => behaviour)).toContain('error-amplification');
});

describe('problems of one’s own', () => {
  const problems = Array.from({ length: 4 }, (_, index): OwnProblem => {
    return { question: `What is ${index} plus 7? Think.`, answer: String(index + 7), numeric: true, steps: [] };
  });

  it('are probed with the wrong answers that were handed in', async () => {
    const replies = new Map(problems.map(({ question }) => [question, ['I guess.\nAnswer: 3', 'Answer: 99']]));
    const report = await probe(ownProblems('own.jsonl', problems, replies) as ProblemFamily<unknown>, rutted);
    expect(value(report, 'blind_spot')).toBe(1);
    expect(value(report, 'clean_accuracy')).toBe(1);
    expect(report.problems[0]!.count).toBe(4);
    expect(report.skipped!.map(({ behaviour }) => behaviour)).toEqual(['error-amplification', 'error-checking', 'self-correction']);
  }); // biome-ignore format: one claim a line

  it('have no defensiveness to show without any', async () => {
    const report = await probe(ownProblems('own.jsonl', problems) as ProblemFamily<unknown>, driveless);
    expect(report.skipped![0]).toMatchObject({ behaviour: 'defensiveness', why: /handed in/ });
  });
});
