/// <reference lib="dom" />
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Journal } from '../../src/record/journal.ts';
import { Lock } from '../../src/record/lock.ts';
import { writeRunCard } from '../../src/record/run-card.ts';
import type { MetricName } from '../../src/results/metrics.ts';
import { type HttpServer, listen } from '../../src/serve/http-server.ts';
import { viewer } from '../../src/view/app.ts';
import { noBrowser, openBrowser } from '../report/browser.ts';
import { fixtureResults } from '../report/fixture-results.ts';
import { temporaryFolder } from '../temporary.ts';

const root = temporaryFolder();
const stop = new AbortController();
let server: HttpServer;
beforeAll(async () => {
  server = await listen(viewer(root, stop.signal).fetch, { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  stop.abort();
  await server.stop();
});

const text = async (path: string) => (await fetch(`${server.url}${path}`)).text();

/** A run as a process leaves it that is in the middle of it. */
async function running(name: string) {
  const folder = join(root, name);
  mkdirSync(join(folder, 'probes'), { recursive: true });
  await writeRunCard(join(folder, 'run.yaml'), {
    schema: 'unrut.run/1',
    name: 'quickstart',
    seed: 1,
    started: '2026-01-01T00:00:00.000Z',
    machine: 'm',
    versions: {},
    model: '/somewhere/models/organism',
    model_sha256: '0'.repeat(64),
    recipe_sha256: '0'.repeat(64),
    recipe: {
      stages: [
        { stage: 'elicit', steps: 10 },
        { stage: 'verify', as: 'verify-again' },
      ],
    },
    overrides: ['stages.elicit.steps=10'],
  });
  const lock = await Lock.take(join(folder, 'lock'));
  const journal = await Journal.open(join(folder, 'events.jsonl'));
  await journal.append({ kind: 'run-started', name: 'quickstart', seed: 1 });
  await journal.append({ kind: 'stage-started', stage: 'elicit', step: 0 });
  const tokens = { trained: 1, sampled: 1 };
  const step = (at: number) =>
    journal.append({
      kind: 'step',
      stage: 'elicit',
      step: at,
      of: 10,
      seconds: 2,
      tokens,
      metrics: { loss: 1 / (at + 1) },
    });
  for (let at = 0; at < 4; at++) await step(at);
  return { folder, lock, journal, step };
}

const gate = {
  kind: 'gate',
  after: 'elicit',
  metric: 'j' as MetricName,
  condition: 'kind=slip',
  sense: 'at_least',
  bar: 0.5,
  compared: 'low',
  number: 0.4,
  held: false,
  otherwise: 'report',
  measured: { value: 0.45, low: 0.4, high: 0.5, n: 9 },
} as const;

it('lists what runs and what was stopped, with what was overridden', async () => {
  const { lock, journal } = await running('stopped');
  await journal.append({ kind: 'run-interrupted' });
  lock.release();
  const { lock: held } = await running('going');
  const page = await text('/');
  expect(page).toMatch(/going.*stages\.elicit\.steps=10.*organism.*● running.*elicit 4\/10/s);
  expect(page).toMatch(/stopped.*‖ interrupted.*elicit 4\/10/s);
  expect(page.indexOf('>going<')).toBeLessThan(page.indexOf('>stopped<'));
  expect(await text('/run?run=stopped')).toContain('interrupted: go on with --resume');
  held.release();
});

it('sends what changes, and the end; others get nothing', async () => {
  const { folder, step, journal, lock } = await running('sent');
  const answer = await fetch(`${server.url}/live?run=sent`);
  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  const next = async () =>
    JSON.parse((await reader.read()).value!.slice('data: '.length)) as { html: string; over: boolean };
  expect((await next()).html).toContain('elicit 4/10, 12 s left');
  await step(4);
  expect((await next()).html).toContain('elicit 5/10, 10 s left');
  await journal.append(gate);
  expect((await next()).html).toMatch(/class="error">✗ gate after elicit: J, expressed \(slip\) &gt;= 0\.500: 0\.400/);
  writeFileSync(join(folder, 'results.json'), JSON.stringify(fixtureResults));
  const last = await next();
  expect(last.over).toBe(true);
  expect(last.html).toContain('the report');
  expect((await reader.read()).done).toBe(true);
  lock.release();
  expect((await fetch(`${server.url}/live?run=..`)).status).toBe(404);
  expect((await fetch(`${server.url}/live?run=nowhere`)).status).toBe(404);
});

describe.skipIf(noBrowser !== undefined)(`in a browser${noBrowser ? ` (skipped: ${noBrowser})` : ''}`, () => {
  it('is redrawn as the run goes on, loads nothing from elsewhere, and fits a phone', async () => {
    const { step, lock } = await running('seen');
    const browser = await openBrowser();
    try {
      const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
      const faults: string[] = [];
      page.on('pageerror', (error) => faults.push(error.message));
      page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
      await page.goto(server.url);
      await page.click('text=seen');
      expect(await page.textContent('.bar')).toContain('elicit 4/10');
      await step(4);
      await page.waitForFunction(() => document.querySelector('.bar')?.textContent?.includes('elicit 5/10'));
      expect(await page.getAttribute('progress', 'value')).toBe('5');
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
      expect(faults).toEqual([]);
    } finally {
      await browser.close();
      lock.release();
    }
  });
});
