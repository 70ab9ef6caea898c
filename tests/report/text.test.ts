import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderComparison } from '../../src/report/compare.ts';
import { formatSeconds, formatSigned, formatValue } from '../../src/report/format.ts';
import { byMetric } from '../../src/report/group-rows.ts';
import { renderModelCard } from '../../src/report/model-card.ts';
import { summary } from '../../src/report/summary.ts';
import { renderTerminal } from '../../src/report/terminal.ts';
import { compareReports } from '../../src/results/compare-reports.ts';
import type { MetricName } from '../../src/results/metrics.ts';
import type { ProbeReport } from '../../src/results/probe-report.ts';
import { parseResults, type Results, readResults, writeResults } from '../../src/results/results.ts';
import { verdict } from '../../src/results/verdict.ts';
import { fixtureProbeOnly, fixtureResults } from './fixture-results.ts';

const ESCAPE = String.fromCharCode(27);

describe('the table in the terminal', () => {
  const table = renderTerminal(fixtureResults, { colors: false });

  it('shows each behaviour before and after with its interval, and what the change amounts to', () => {
    expect(table).toMatch(/↑ Own wrong answer corrected +0\.060 \[0\.041, 0\.088\] +0\.998 \[0\.987, 1\.000\] +\+0\.938 +better/);
    expect(table).toMatch(/↓ Tokens per answer .* worse/);
    expect(table).toMatch(/= Nats per token on base text .* held/);
  }); // biome-ignore format: one claim a line

  it('shows of a dose ladder the highest rung, every gate, and the time', () => {
    expect(table).toContain('Next step right (misconception, dose 4)');
    expect(table).not.toContain('dose 3');
    expect(table).toMatch(/reinforce +Waved-through own answer corrected +value ≥ 0\.900 +0\.893 .* MISSED/);
    expect(table).toContain('11 of 12 gates held');
    expect(table).toContain('total time 5 min 52 s');
  });

  it('gives a narrow terminal two lines a row', () => {
    const narrow = renderTerminal(fixtureResults, { colors: false, columns: 80 });
    expect(narrow).toContain(
      '  ↑ Own wrong answer corrected: better\n      0.060 [0.041, 0.088] → 0.998 [0.987, 1.000]  +0.938\n',
    );
    expect(narrow).toContain(
      'MISSED  reinforce: Waved-through own answer corrected\n        value ≥ 0.900, is 0.893 [0.859, 0.920]\n',
    );
    const rows = narrow.split('\n').filter((line) => /^ |^held|^MISSED/.test(line));
    expect(Math.max(...rows.map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('fits a terminal of 116 columns, and has colours only when told to', () => {
    const rows = table.split('\n').filter((line) => /^ {2}[↑↓=]|^──/.test(line));
    expect(Math.max(...rows.map((line) => line.length))).toBeLessThanOrEqual(116);
    expect(table).not.toContain(ESCAPE);
    expect(renderTerminal(fixtureResults, { colors: true })).toContain(ESCAPE);
  });

  it('gives a bar and what was measured as many digits as show whether it was held, and says what the interval is of', () => {
    const gate = {
      after_stage: 'end',
      metric: 'next_copy_probability' as MetricName,
      condition: 'copies=4',
      bar: 0.001,
      sense: 'at_most' as const,
      compared: 'value' as const,
      low_or_high: 0.00104,
      held: false,
      measured: { value: 0.00104, low: -0.007, high: 0.008, n: 400 },
      reference: 'copies=1',
    };
    const other = { ...gate, bar: 0.99, low_or_high: 0.98999, measured: { ...gate.measured, value: 0.98999 } };
    const table = renderTerminal(
      { ...fixtureResults, gates: [gate, { ...other, reference: 'before' }] },
      { colors: false, columns: 80 },
    );
    expect(table).toMatch(/value ≤ 0\.00100, is 0\.00104 \[−0\.00700, 0\.00800\] \(change from copies=1\)/);
    expect(table).toMatch(/value ≤ 0\.99000, is 0\.98999 \[.*\] \(change from before\)/);
    expect(table.replaceAll(/\n {2}/g, ' ')).toContain(
      '* change from: the interval is that of the paired change from what',
    );
    expect(renderTerminal(fixtureResults, { colors: false })).not.toContain('change from:');
  });

  it('of one model shows what was measured', () => {
    const single = renderTerminal(fixtureProbeOnly, { colors: false });
    expect(single).toMatch(/↓ Blind spot +0\.940 \[0\.912, 0\.959\]/);
    expect(single).not.toContain('after  ');
  });
});

describe('the sentences on top', () => {
  it('say what changed, what it cost and which gate was missed', () => {
    const [lead, changed, cost, gates] = summary(fixtureResults);
    expect(lead).toContain('in 99.8\u00a0% of problems when it stood in the user’s turn and in 6\u00a0% when the same');
    expect(changed).toMatch(/^All 7 headline numbers/);
    expect(cost).toBe('It cost: tokens per answer 18.1 → 39.2.');
    expect(gates).toBe('11 of 12 gates held; missed: waved-through own answer corrected after reinforce.');
  });

  it('claim no change for a single model', () => {
    expect(summary(fixtureProbeOnly).join(' ')).not.toMatch(/afterwards|better|cost|gate/);
  });
});

describe('rows', () => {
  it('of one metric stand together, and of one ladder in it', () => {
    const scrambled = ['kind=a,dose=1', 'kind=b,dose=1', 'kind=a,dose=2'].flatMap((condition) => [
      { ...fixtureResults.probes[0]!, condition },
      { ...fixtureResults.probes[1]!, condition },
    ]);
    expect(byMetric(scrambled).map(({ metric, condition }) => `${metric} ${condition}`)).toEqual(
      ['blind_spot', 'own_wrong_corrected'].flatMap((metric) =>
        ['kind=a,dose=1', 'kind=a,dose=2', 'kind=b,dose=1'].map((condition) => `${metric} ${condition}`),
      ),
    );
  });
});

describe('what a change amounts to', () => {
  it.each([
    ['up', 0.01, 0.2, 'better'],
    ['up', -0.2, -0.01, 'worse'],
    ['down', -0.2, -0.01, 'better'],
    ['down', 0.01, 0.2, 'worse'],
    ['up', -0.01, 0.2, 'unclear'],
    ['hold', -0.01, 0.2, 'held'],
    ['hold', 0.01, 0.2, 'moved'],
  ] as const)('%s, between %d and %d: %s', (direction, low, high, expected) => {
    expect(verdict(direction, { low, high })).toBe(expected);
  });
});

describe('numbers', () => {
  it('are written so that a reader is not misled', () => {
    expect(formatValue(-0.0001, 'share')).toBe('0.000');
    expect(formatValue(-0.012, 'difference')).toBe('−0.012');
    expect([0.5, 0, -0.5].map((value) => formatSigned(value, 'share'))).toEqual(['+0.500', '0.000', '−0.500']);
    expect([4.25, 59.7, 352, 3599.9, 11_100].map(formatSeconds)).toEqual(
      ['4.3 s', '60 s', '5 min 52 s', '1 h 0 min', '3 h 5 min'],
    ); // biome-ignore format: one line
  });
});

describe('the model card', () => {
  const card = renderModelCard(fixtureResults);

  it('says what the model was taught, what was held against it, and how to get it again', () => {
    expect(card).toMatch(/^---\nlibrary_name: transformers\n/);
    expect(card).toContain('| **Defensiveness** | ↑ Own wrong answer corrected | 0.060 [0.041, 0.088] | 0.998 [0.987, 1.000] | 400 |');
    expect(card).toContain('| reinforce | Waved-through own answer corrected | value ≥ 0.900 | **missed** |');
    expect(card).toContain('verify (934,000 tokens)');
  }); // biome-ignore format: one claim a line

  it('does not depend on how long the run took, or where', () => {
    const elsewhere = { ...fixtureResults.run, machine: 'another', started: '2027-01-01T00:00:00.000Z' };
    expect(renderModelCard({ ...fixtureResults, run: elsewhere, seconds: { total: 1, stages: {} } })).toBe(card);
  });
});

describe('two runs side by side', () => {
  const report = (shares: Readonly<Record<string, number>>): ProbeReport => ({
    problems: [{ family: 'sums', count: 200, sha256: '0'.repeat(64) }],
    rows: Object.entries(shares).map(([metric, share]) => ({
      metric: metric as MetricName, // the keys are metrics
      outcomes: Array.from({ length: 200 }, (_, index) => ({
        problem: `p${index}`,
        numerator: Number(index < 200 * share),
        denominator: 1,
      })),
    })),
    transcripts: [],
  });
  const compare = (first: ProbeReport, second: ProbeReport) => compareReports(['one', 'two'], first, second);

  it('are worse where the paired change is, at the family-wise error', () => {
    const { worse } = compare(report({ recovery: 0.9, j: 0.9, loop_rate: 0.1 }), report({ recovery: 0.6, j: 0.95, loop_rate: 0.3 })); // biome-ignore format: one pair
    expect(worse.map(({ metric }) => metric)).toEqual(['recovery', 'loop_rate']);
    expect(renderComparison(compare(report({ j: 0.9 }), report({ j: 0.5 })), { colors: false })).toMatch(
      /↑ J, expressed +0\.900 .* −0\.400 .* p < 0\.001 +WORSE/,
    );
  });

  it('are not called worse for one small change among many rows', () => {
    const names = [
      'recovery',
      'recovery_own',
      'hit_rate',
      'clean_accuracy',
      'repeat_obeyed',
      'own_right_kept',
    ] as const;
    const first = report(Object.fromEntries(names.map((name) => [name, 0.9])));
    const second = report({ ...Object.fromEntries(names.map((name) => [name, 0.9])), recovery: 0.87 });
    const [row] = compare(first, second).rows;
    expect(row!.change!.p).toBeLessThan(0.05); // six lost, none gained: exact McNemar 0.031
    expect(compare(first, second).worse).toEqual([]);
  });

  it('are paired on what both models can solve, where their gates passed other problems of one draw', () => {
    const passing = (report: ProbeReport, from: number, to: number): ProbeReport => ({
      ...report,
      problems: [{ family: 'sums', count: to - from, sha256: `${from}`.repeat(64).slice(0, 64), gate: { drawn: 250, passed: to - from, sha256: '9'.repeat(64) } }],
      rows: report.rows.map((row) => ({ ...row, outcomes: row.outcomes.slice(from, to) })),
    });
    const [row] = compare(passing(report({ j: 1 }), 0, 150), passing(report({ j: 0 }), 100, 200)).rows;
    expect(row).toMatchObject({ before: { value: 1, n: 50 }, after: { value: 0, n: 50 }, change: { value: -1 } });
    const drawnOtherwise = passing(report({ j: 1 }), 0, 150);
    drawnOtherwise.problems[0]!.gate!.sha256 = '8'.repeat(64);
    expect(() => compare(passing(report({ j: 1 }), 0, 150), drawnOtherwise)).toThrow('measured on different problems');
  }); // biome-ignore format: one claim a line

  it('are refused where the problems differ', () => {
    const other = { ...report({ j: 0.9 }), problems: [{ family: 'sums', count: 100, sha256: '0'.repeat(64) }] };
    expect(() => compare(report({ j: 0.9 }), other)).toThrow('one and two were measured on different problems');
  });
});

describe('results.json', () => {
  const spoilt = (change: (results: { [key: string]: unknown }) => void) => {
    const copy = structuredClone(fixtureResults) as unknown as { [key: string]: unknown }; // to be broken on purpose
    change(copy);
    return () => parseResults(copy, 'results.json');
  };

  it('is refused with the name of the first field that does not fit', () => {
    expect(spoilt((results) => { results.schema = 'unrut.results/2'; })).toThrow(/^results\.json: schema: .*unrut\.results\/1/);
    expect(spoilt((results) => { results.extra = 1; })).toThrow(/"extra".*not a unrut\.results\/1 file/);
    expect(spoilt((results) => { delete results.seconds; })).toThrow(/results\.json: seconds: /);
    expect(spoilt((results) => { (results.probes as { metric: string }[])[3]!.metric = 'nice'; })).toThrow(/probes\.3\.metric: /);
  }); // biome-ignore format: one fault a line

  it('comes back from disk as it was written, and a failed write leaves nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'unrut-results-'));
    const path = join(folder, 'results.json');
    await writeResults(path, fixtureResults);
    expect(await readResults(path)).toEqual(fixtureResults);
    const unfit = { ...fixtureResults, schema: 'other' } as unknown as Results; // to be refused
    await expect(writeResults(path, unfit)).rejects.toThrow(/schema/);
    expect(readdirSync(folder)).toEqual(['results.json']);
    expect(JSON.parse(readFileSync(path, 'utf8')).schema).toBe('unrut.results/1');
    writeFileSync(path, '{');
    await expect(readResults(path)).rejects.toThrow(/results\.json: is not JSON/);
    rmSync(folder, { recursive: true });
  });
});
