/// <reference lib="dom" />
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { renderHtml } from '../../src/report/html.ts';
import type { Results } from '../../src/results/results.ts';
import { noBrowser, openBrowser } from './browser.ts';
import { fixtureProbeOnly, fixtureResults } from './fixture-results.ts';

const desk = { width: 1280, height: 900 };
const phone = { width: 390, height: 844 };

describe.skipIf(noBrowser)(`the page in a browser${noBrowser ? ` (skipped: ${noBrowser})` : ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'unrut-report-'));
  let browser: Browser;
  let page: Page;
  let faults: string[];

  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });
  afterEach(() => page?.close());

  /** Opens a report from disk, and notes everything that a reader's console would show or that was asked of a network. */
  async function open(results: Results, viewport: { width: number; height: number } = desk): Promise<void> {
    const file = join(folder, 'report.html');
    writeFileSync(file, renderHtml(results));
    page = await browser.newPage({ viewport });
    faults = [];
    page.on('console', (message) => faults.push(message.text()));
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('request', (request) => {
      if (!/^(file|data):/.test(request.url())) faults.push(request.url());
    });
    page.on('dialog', (dialog) => {
      faults.push(dialog.message());
      return dialog.dismiss();
    });
    await page.goto(pathToFileURL(file).href);
  }

  const texts = (selector: string) => page.locator(selector).allTextContents();

  it('tells the story first, then everything else, with numbered captions, and asks nothing of a network', async () => {
    await open(fixtureResults);
    expect(await page.locator('main > section').evaluateAll((sections) => sections.map(({ id }) => id))).toEqual(
      ['story', 'surprise', 'dose', 'stages', 'gates', 'read', 'numbers', 'cost', 'curves', 'origin'],
    ); // biome-ignore format: one line
    const numbers = (await texts('.caption b')).map((text) => text.trim());
    expect(numbers).toEqual([
      ...['Figure 1.', 'Table 1.', 'Figure 2.', 'Figure 3.', 'Table 2.', 'Table 3.', 'Table 4.', 'Figure 4.'],
    ]);
    expect(await page.locator('svg:not([aria-label])').count()).toBe(0);
    expect(faults).toEqual([]);
  });

  it.each([
    ['a desk', desk],
    ['a phone', phone],
  ])('fits on %s: nothing sticks out, no two words of a figure lie on each other', async (_, viewport) => {
    await open(fixtureResults, viewport);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(viewport.width);
    expect(await page.evaluate(collisions)).toEqual([]);
    expect(await page.evaluate(cutWords)).toEqual([]);
  });

  it('shows each behaviour with both its ends, its intervals and its mirror', async () => {
    await open(fixtureResults);
    const figure = page.locator('#story .wide svg');
    const words = await figure.locator('text').allTextContents();
    expect(words).toEqual(expect.arrayContaining(['Defensiveness', 'Own wrong answer corrected', 'Own right answer kept']));
    expect(words).toContain('0.060 → 0.998');
    expect(await figure.locator('circle').count()).toBe(2 * 14); // 15 rows before and after; nats have no place on the axis
    expect(await page.locator('#story .narrow').isVisible()).toBe(false);
  }); // biome-ignore format: one claim a line

  it('follows gated and told numbers from the base to the end, and folds away what else was logged', async () => {
    await open(fixtureResults);
    const charts = await texts('#stages h4');
    expect(charts).toContain('Waved-through own answer corrected'); // gated
    expect(charts).toContain('Told one piece a turn'); // told
    expect(charts).not.toContain('User’s right answer kept');
    expect((await texts('#stages svg:first-of-type text')).slice(-7)).toEqual(
      ['base', 'distil', 'elicit', 'verify', 'unloop', 'reinforce', 'end'],
    ); // biome-ignore format: one line
    expect(await texts('#curves > .small-charts h4')).toEqual(
      expect.arrayContaining(['verify: loss', 'reinforce: kl']),
    );
  });

  it('lets a reader browse transcripts by behaviour and outcome, with buttons and arrow keys', async () => {
    await open(fixtureResults);
    const place = page.locator('.place');
    expect(await page.locator('article:visible').count()).toBe(1);
    expect(await place.textContent()).toBe('1 of 18');
    await page.locator('[name=next]').click();
    expect(await place.textContent()).toBe('2 of 18');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    expect(await place.textContent()).toBe('18 of 18');
    await page.locator('[name=behaviour]').selectOption('self-correction');
    expect(await place.textContent()).toBe('1 of 6');
    await page.locator('[name=outcome]').selectOption('failing');
    expect(await place.textContent()).toBe('1 of 1');
    expect(await page.locator('article:visible h4').textContent()).toContain('Self-correction');
  });

  it('marks what was put into the mouth, and colours and tells the probability of the model’s own tokens', async () => {
    await open(fixtureResults);
    const article = page.locator('article:visible');
    expect(await article.locator('.injected').count()).toBe(2);
    const doubtful = article.locator('section').nth(1).locator('.t2, .t3, .t4').first();
    const sure = article.locator('section').nth(1).locator('.t0').first();
    const colour = (token: typeof sure) => token.evaluate((element) => getComputedStyle(element).backgroundColor);
    expect(await colour(doubtful)).not.toBe(await colour(sure));
    await doubtful.hover();
    expect(await page.locator('output.token').textContent()).toMatch(/^p = 0\.\d{3}, logprob −?-?\d\.\d\d, surprise 0/);
  });

  it('keeps what a model wrote from being more than text', async () => {
    const evil = `</script><script>alert(1)</script><img src=x onerror="alert(2)">`;
    const turn = { role: 'assistant', origin: 'injected', text: evil } as const;
    const [first] = fixtureResults.transcripts!;
    const side = { turns: [turn], outcome: { text: evil, good: true } };
    const transcripts = [{ ...first!, id: `"><b>`, problem: evil, before: side, after: side }];
    await open({ ...fixtureResults, run: { ...fixtureResults.run, name: evil, model: evil }, transcripts });
    expect(await texts('article .injected')).toEqual([evil, evil]);
    expect(await page.locator('img, article b').count()).toBe(0);
    expect(faults).toEqual([]);
  });

  it('reads without scripts, in the dark and on paper', async () => {
    await open(fixtureResults);
    const bright = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).not.toBe(bright);
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('nav').isVisible()).toBe(false);
    const plain = await browser.newPage({ javaScriptEnabled: false });
    await plain.goto(page.url());
    expect(await plain.locator('article:visible').count()).toBe(18);
    await plain.close();
  });

  it('says of one model what was measured, without a change that nobody measured', async () => {
    await open(fixtureProbeOnly, phone);
    expect(await texts('h1')).toEqual(['The consistency drive, measured']);
    expect(await texts('#numbers thead th')).toEqual(['measured', 'n']);
    expect(await page.locator('.verdict').count()).toBe(0);
    expect(faults).toEqual([]);
  });

  it('has something to say of a run that measured nothing', async () => {
    await open({ ...fixtureProbeOnly, probes: [] });
    expect(await page.locator('main > section').evaluateAll((sections) => sections.map(({ id }) => id))).toEqual([
      ...['cost', 'origin'],
    ]);
    expect(faults).toEqual([]);
  });
});

/** Runs in the page: pairs of words of one figure whose boxes overlap by more than a rounding. */
function collisions(): string[] {
  const overlap = (a: DOMRect, b: DOMRect) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
  return [...document.querySelectorAll('svg')].flatMap((svg) => {
    const upright = [...svg.querySelectorAll('text')].filter(
      (text) => text.textContent && !(text.getAttribute('transform') ?? '').includes('rotate'),
    );
    const boxes = upright.map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() }));
    return boxes.flatMap((a, index) =>
      boxes
        .slice(index + 1)
        .filter((b) => a.box.width > 0 && overlap(a.box, b.box))
        .map((b) => `${svg.getAttribute('aria-label')}: "${a.text}" on "${b.text}"`),
    );
  });
}

/** Runs in the page: words of figures that the edge of the page cuts off. */
function cutWords(): string[] {
  const words = [...document.querySelectorAll('svg text')].filter((text) => text.getBoundingClientRect().width > 0);
  const isCut = ({ left, right }: DOMRect) => left < 0 || right > document.documentElement.clientWidth;
  return words.filter((text) => isCut(text.getBoundingClientRect())).map((text) => text.textContent ?? '');
}
