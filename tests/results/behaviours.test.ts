import { describe, expect, it } from 'vitest';
import { behaviourOf, behaviours, defineBehaviour, type MetricName, metricOf } from '../../src/results/metrics.ts';
import { carriedDefinitions } from '../../src/results/probe-results.ts';
import { parseResults } from '../../src/results/results.ts';
import { fixtureResults } from '../report/fixture-results.ts';

const named = (choice: string) => choice.split(' ')[0] as MetricName; // metricOf throws where it is none

describe.each(behaviours())('the entry of %s', (behaviour) => {
  const { headline, mirror, metrics } = behaviourOf(behaviour);

  it('names only metrics that there are, as headline, mirror and mirror of a metric', () => {
    const names = [...headline, ...mirror, ...Object.values(metrics).flatMap(({ mirror: its }) => its ?? [])];
    for (const name of names) expect(metricOf(named(name)).title).not.toBe('');
  });

  it('has its headline among its own metrics', () => {
    expect(headline.map((name) => metricOf(named(name)).behaviour)).toEqual(headline.map(() => behaviour));
  });
});

describe('a behaviour of one’s own', () => {
  const entry = {
    title: 'Politeness',
    headline: ['thanked'],
    mirror: [],
    metrics: { thanked: { title: 'Thanks', meaning: 'The reply thanks.', unit: 'share', direction: 'up' } },
    threats: [],
  } as const;

  it('travels with its rows in results.json', () => {
    const behaviour = defineBehaviour('politeness', entry);
    const metric = 'thanked' as MetricName; // defined with it
    const row = { behaviour, metric, direction: 'up' as const, before: { value: 1, low: 0.9, high: 1, n: 40 } };
    const carried = carriedDefinitions([{ metric, outcomes: [] }]);
    expect(carried.behaviours).toEqual({ politeness: { title: 'Politeness', headline: ['thanked'], mirror: [] } });
    const { probes } = parseResults({ ...fixtureResults, ...carried, probes: [row] }, 'results.json');
    expect(probes[0]?.behaviour).toBe('politeness');
  });

  it('is refused under a name that is taken', () => {
    expect(() => defineBehaviour('loops', entry)).toThrow('behaviour "loops": the name is taken');
  });
});
