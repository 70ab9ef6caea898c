/**
 * @file Draws the picture of the README from a run: `npx tsx tests/report/story-picture.ts runs/quickstart-1 docs/story.png`
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { renderHtml } from '../../src/report/html.ts';
import { readResults } from '../../src/results/results.ts';
import { openBrowser } from './browser.ts';

const [run = '', picture = 'docs/story.png'] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'unrut-picture-'));
const report = join(folder, 'report.html');
writeFileSync(report, renderHtml(await readResults(join(run, 'results.json'))));

const browser = await openBrowser();
const page = await browser.newPage({ viewport: { width: 1060, height: 900 }, deviceScaleFactor: 2 });
await page.goto(pathToFileURL(report).href);
const box = (await page.locator('#story figure').boundingBox())!; // every run with probes has one
const clip = { x: box.x - 14, y: box.y - 8, width: box.width + 28, height: box.height + 20 };
await page.screenshot({ path: picture, clip, fullPage: true });
await browser.close();
rmSync(folder, { recursive: true });
