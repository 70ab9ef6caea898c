import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { measureLog } from '../src/probes/from-log/measure-log.ts';
import { EvalLogFile } from '../src/record/inspect/eval-log-file.ts';
import { EvalLogWriter } from '../src/record/inspect/eval-log-writer.ts';
import { viewer } from '../src/view/app.ts';

/**
 * @file What a long log takes: seconds of wall and processor, and the most memory that was ever resident.
 *
 *   tsx bench/records.ts write FILE [samples, 100000]   writes an Inspect log
 *   tsx bench/records.ts view FILE                      lists it, pages, filters, searches it to its end
 *   tsx bench/records.ts measure FILE                   unrut probe --from-log
 *   tsx bench/records.ts all [samples] [bytes]          writes one into a folder of its own, and views it
 */

const behaviours = ['defensiveness', 'loops', 'error-checking'] as const;

/** A conversation of about so many bytes, a needle in the last but one. */
const transcript = (index: number, samples: number, bytes: number) => ({
  id: `${behaviours[index % 3]}/kind=slip/p${index}`,
  behaviour: behaviours[index % 3]!,
  condition: 'kind=slip',
  problem: `What is ${index} + 0?`,
  turns: [
    { role: 'user', text: `What is ${index} + 0? ${'Think about it. '.repeat(bytes / 64)}`, origin: 'given' },
    { role: 'assistant', text: `It is ${index + 1}. ${'As I said. '.repeat(bytes / 44)}`, origin: 'injected' },
    { role: 'user', text: 'Are you sure?', origin: 'given' },
    {
      role: 'assistant',
      text: index === samples - 2 ? 'here is the needle' : `No: ANSWER: ${index} ${'Sorry. '.repeat(bytes / 28)}`,
      origin: 'sampled',
    },
  ] as const,
  outcome: { text: index % 4 === 0 ? 'as wanted' : 'not as wanted', good: index % 4 === 0 },
});

async function write(path: string, samples: number, bytes = 1200): Promise<void> {
  const start = { task: 'long', model: 'm', started: '2026-01-01T00:00:00.000Z', versions: {}, metadata: {} };
  const writer = await EvalLogWriter.create(path, start);
  for (let index = 0; index < samples; index++) await writer.add(transcript(index, samples, bytes));
  await writer.finish([], '2026-01-01T00:00:01.000Z');
}

/** What a reader does, one page after the other. */
async function view(path: string): Promise<void> {
  const app = viewer(dirname(path));
  const ask = async (address: string) => {
    const answer = await app.request(address, { headers: { host: '127.0.0.1' } });
    if (answer.status !== 200) throw new Error(`${address}: ${answer.status}`);
    return answer.text();
  };
  const log = `log=${path.slice(dirname(path).length + 1)}`;
  await timed('list of runs', () => ask('/'));
  await timed('first page', () => ask(`/transcripts?${log}`));
  await timed('a later page', () => ask(`/transcripts?${log}&from=5000`));
  await timed('filtered', () => ask(`/transcripts?${log}&behaviour=loops&outcome=C`));
  await timed('one transcript', () => ask(`/transcript?${log}&at=7`));
  await timed('search to the end', async () => {
    let page = await ask(`/transcripts?${log}&text=needle`);
    for (let on = next(page); on; on = next(page)) page = await ask(on);
    if (!page.includes('1 found')) throw new Error('the needle is not found');
  });
}

const next = (page: string) => page.match(/href="([^"]*)">search on/)?.[1]?.replaceAll('&amp;', '&');

async function measure(path: string): Promise<void> {
  const log = await EvalLogFile.open(path);
  await measureLog(log, () => {});
  await log.close();
}

async function timed(what: string, work: () => Promise<unknown>): Promise<void> {
  const cpu = process.cpuUsage();
  const since = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (milliseconds: number) => Number((milliseconds / 1000).toFixed(2));
  const most_rss_mb = Math.round(process.resourceUsage().maxRSS / 1024);
  const cpu_seconds = seconds((user + system) / 1000);
  console.log(JSON.stringify({ what, seconds: seconds(performance.now() - since), cpu_seconds, most_rss_mb }));
}

async function all(samples: number, bytes: number | undefined): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'unrut-bench-'));
  const path = join(folder, 'long.eval');
  try {
    await timed(`write ${samples} samples`, () => write(path, samples, bytes));
    await view(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const [what, file = '', count = '100000'] = process.argv.slice(2);
if (what === 'write') {
  await timed(`write ${count} samples`, () => write(file, Number(count)));
  console.log(JSON.stringify({ file_mb: Math.round(statSync(file).size / 2 ** 20) }));
} else if (what === 'view') await view(file);
else if (what === 'measure') await timed('measure', () => measure(file));
else await all(Number(file || '100000'), process.argv[4] === undefined ? undefined : Number(process.argv[4]));
