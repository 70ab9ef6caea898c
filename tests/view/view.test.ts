/// <reference lib="dom" />
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listen } from '../../src/serve/http-server.ts';
import { viewer } from '../../src/view/app.ts';
import { noBrowser, openBrowser } from '../report/browser.ts';
import { folderOfRuns } from './folder.ts';

const SAMPLES = 1000;
let root: string;
let app: ReturnType<typeof viewer>;

beforeAll(async () => {
  root = await folderOfRuns(SAMPLES);
  app = viewer(root);
});
afterAll(() => {
  for (const path of [root, `${root}-secret.txt`]) rmSync(path, { recursive: true, force: true });
});

const ask = async (path: string, host = '127.0.0.1:7860') => app.request(path, { headers: { host } });
const text = async (path: string) => (await ask(path)).text();

/** A search stops when the reader has waited for long enough. */
const nextPage = (page: string) => page.match(/href="([^"]*)">search on/)?.[1]?.replaceAll('&amp;', '&');

describe('the viewer', () => {
  it('lists runs and logs, the damaged ones with what is wrong with them', async () => {
    const page = await text('/');
    for (const name of ['quickstart-1', 'quickstart-2', 'probe-only', 'long.eval']) expect(page).toContain(name);
    expect(page).toMatch(/broken.*is not JSON/s);
    expect(page).toMatch(/cut\.eval.*not a zip that can be read/s);
  });

  it('shows a report, and two runs paired or why they cannot be', async () => {
    expect(await text('/report?run=quickstart-1')).toContain('The consistency drive, before and after');
    const compared = await text('/compare?first=quickstart-1&second=quickstart-2');
    expect(compared).toContain('Own wrong answer corrected');
    expect(compared).toMatch(/0\.200.*0\.650/s);
    expect(await text('/compare?first=quickstart-1&second=probe-only')).toContain('after.json: cannot be read');
  });

  it('pages, filters and searches a long log', async () => {
    const first = await text('/transcripts?log=long.eval');
    expect(first).toContain('1–50 of 1,000');
    expect(first).toContain('<span class="excerpt">The answer is 0.</span>');
    expect(first).toMatch(
      /<option value="C">✓ as wanted \(250\)<\/option>\s*<option value="I">✗ not as wanted \(750\)/,
    );
    expect(first.match(/<tr>/g)).toHaveLength(50);
    expect(await text('/transcripts?log=long.eval&outcome=C&behaviour=loops')).toContain('of 83');
    let found = await text('/transcripts?log=long.eval&text=NEEDLE');
    for (let on = nextPage(found); on !== undefined; on = nextPage(found)) found = await text(on);
    expect(found).toContain('1 found; searched 1,000 of 1,000');
    expect(found).toContain('p998_epoch_1');
    expect(await text('/transcript?log=long.eval&at=998')).toContain('here is the needle');
  });

  it('shows what can be read of a log that is damaged or did not finish', async () => {
    const page = await text('/transcripts?log=other/theirs.eval');
    expect(page).toContain('This log did not finish: error. out of credit');
    expect(await text('/transcript?log=other/theirs.eval&at=0')).toContain('&lt;script&gt;');
    expect(await text('/transcript?log=other/theirs.eval&at=1')).toMatch(/samples\/2_epoch_1\.json: .*JSON/);
    expect((await ask('/transcript?log=long.eval&at=5000')).status).toBe(404);
  });

  it('gives out nothing from outside its folder, and nothing to others', async () => {
    const outside = ['../', '..%2f..%2fetc/passwd', '/etc/passwd', 'link.eval', 'quickstart-1/../../', 'x%00'];
    for (const path of outside) {
      const answer = await ask(`/transcripts?log=${path}`);
      expect({ path, status: answer.status }).toEqual({ path, status: 404 });
      expect(await answer.text()).not.toContain('secret');
    }
    expect((await ask('/report?run=..')).status).toBe(404);
    expect((await ask('/', 'evil.example:7860')).status).toBe(403);
    const answer = await ask('/');
    expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'unsafe-inline';/);
  });
});

describe.skipIf(noBrowser !== undefined)(`in a browser${noBrowser ? ` (skipped: ${noBrowser})` : ''}`, () => {
  it('leads from the list to a transcript and to a comparison, loads nothing else, and fits a phone', async () => {
    const server = await listen((request) => app.fetch(request), { host: '127.0.0.1', port: 0 });
    const browser = await openBrowser();
    try {
      const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
      const foreign: string[] = [];
      const faults: string[] = [];
      page.on('request', (request) => request.url().startsWith(server.url) || foreign.push(request.url()));
      page.on('pageerror', (error) => faults.push(error.message));
      const fits = async () =>
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
      await page.goto(server.url);
      await fits();
      await page.check('[aria-label="quickstart-1 as A"]');
      await page.check('[aria-label="quickstart-2 as B"]');
      await page.click('text=Compare A with B');
      expect(await page.textContent('h1')).toBe('quickstart-2 against quickstart-1');
      await fits();
      await page.click('text=all runs');
      await page.click('text=long.eval');
      await page.selectOption('select[name=outcome]', 'C');
      await page.click('text=Search');
      await page.click('text=later');
      expect(await page.textContent('.pages')).toContain('51–100 of 250');
      await fits();
      await page.click('table a >> nth=0');
      await page.click('text=next');
      expect(await page.textContent('h1')).toBe('What is 204 + 0?');
      expect(await page.textContent('.kicker')).toContain('p204');
      expect(await page.textContent('.injected')).toBeTruthy();
      await fits();
      await page.goto(`${server.url}/transcript?log=other/theirs.eval&at=0`);
      expect(await page.title()).not.toBe('owned');
      expect({ foreign: foreign.filter((url) => !url.startsWith('data:')), faults }).toEqual({
        foreign: [],
        faults: [],
      });
    } finally {
      await browser.close();
      await server.stop();
    }
  });
});
