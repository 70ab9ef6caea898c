import { PassThrough } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { Terminal } from '@xterm/headless';
import { describe, expect, it } from 'vitest';
import { LiveDisplay } from '../../src/cli/display/live-display.ts';
import type { RunEvent } from '../../src/record/event.ts';
import { renderComparison } from '../../src/report/compare.ts';
import { fits, wrapped } from '../../src/report/fit.ts';
import { renderTerminal } from '../../src/report/terminal.ts';
import type { MetricName } from '../../src/results/metrics.ts';
import { fixtureResults } from '../report/fixture-results.ts';

/** What a person sees: a terminal of this many columns, and the stream that writes to it. */
function terminal(columns: number) {
  const screen = new Terminal({ cols: columns, rows: 60, convertEol: true, allowProposedApi: true });
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns });
  stream.on('data', (data) => screen.write(data));
  const rows = async () => {
    await wait(250); // it draws ten times a second
    await new Promise<void>((resolve) => screen.write('', resolve));
    const { buffer } = screen;
    const lines = Array.from({ length: buffer.active.length }, (_, at) => buffer.active.getLine(at));
    return lines.map((line) => line?.translateToString(true) ?? '').filter((line) => line !== '');
  };
  return { stream, rows };
}

const time = '2026-01-01T00:00:00.000Z';
const gate: RunEvent = {
  kind: 'gate',
  time,
  after: 'unloop-again',
  metric: 'next_step_accuracy' as MetricName,
  condition: 'kind=misconception,dose=4',
  sense: 'at_least',
  bar: 0.99,
  compared: 'low',
  number: 0.9512,
  measured: { value: 0.97, low: 0.9512, high: 0.99, n: 400 },
  held: false,
  otherwise: 'report',
};
const tokens = { trained: 1, sampled: 1 };
const step: RunEvent = {
  kind: 'step',
  time,
  stage: 'elicit',
  step: 99,
  of: 280,
  seconds: 1.3,
  tokens,
  metrics: { loss: 0.1234, reward: 0.81, j: 0.5 },
};

describe.each([50, 80, 120])('a live display of %i columns', (columns) => {
  it('shows whole what has happened, above one row of what happens', async () => {
    const { stream, rows } = terminal(columns);
    const display = new LiveDisplay(stream);
    display.event({ kind: 'stage-started', time, stage: 'elicit', step: 0 });
    display.event(gate);
    display.event(gate);
    for (let at = 0; at < 20; at++) display.event(step);
    display.doing('multi-turn: 340 replies, 12 of 64 in flight, 0.1234 USD, and much more that no terminal holds');
    await wait(250);
    display.doing('multi-turn, drawn again');
    const seen = await rows();
    const text = seen.slice(0, -1).join(' ').replaceAll(/ +/g, ' ');
    expect(text).toBe(
      'stage elicit gate after unloop-again: Next step right (misconception, dose 4) >= 0.990: 0.951 (low limit) MISSED gate after unloop-again: Next step right (misconception, dose 4) >= 0.990: 0.951 (low limit) MISSED',
    );
    expect(seen.at(-1)).toMatch(/^[█░]+ {2}elicit 100\/280 {2}3 min/);
    expect(Math.max(...seen.map((line) => line.length))).toBeLessThanOrEqual(columns);
    display.close();
    stream.write('a line behind it that is as long as many of those that follow a run, so that it has to be wrapped below');
    expect((await rows()).slice(-3).join('')).toContain('so that it has to be wrapped below');
  });
}); // biome-ignore format: one event a line

describe.each([50, 80, 100])('tables in %i columns', (columns) => {
  it('stay within them and say the same', () => {
    const table = renderTerminal(fixtureResults, { colors: true, columns });
    expect(fits(table, columns)).toBe(true);
    const words = (text: string) => text.replaceAll(/[\s─]+/g, ' ');
    expect(words(table)).toContain(words('11 of 12 gates held'));
    const comparison = { names: ['runs/a', 'runs/b'] as const, rows: [...fixtureResults.probes], worse: [], familyError: 0.05, skipped: [] };
    expect(fits(renderComparison(comparison, { colors: false, columns }), columns)).toBe(true);
  });
}); // biome-ignore format: one table a line

it('wraps by columns and not by characters, colours left out', () => {
  expect(wrapped('  a: one two three four', 14)).toBe('  a: one two\n    three four');
  expect(wrapped('日本語日本語日本語', 10)).toBe('日本語日本\n  語日本語');
  expect(wrapped('\u001b[31mred red\u001b[39m', 7)).toBe('\u001b[31mred red\u001b[39m');
});
