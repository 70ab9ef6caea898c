import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { measureLog } from '../../../src/probes/from-log/measure-log.ts';
import { EvalLogFile } from '../../../src/record/inspect/eval-log-file.ts';
import { inspectModel } from '../../../src/record/inspect/eval-log-writer.ts';
import { writeTranscripts } from '../../../src/record/inspect/write-transcripts.ts';
import type { Transcript } from '../../../src/results/results.ts';
import { noBrowser, openBrowser } from '../../report/browser.ts';
import { fixtureResults } from '../../report/fixture-results.ts';

const PYTHON = process.env.UNRUT_INSPECT_PYTHON ?? '.venv/bin/python';

/** Why there is nothing to compare with; undefined where there is. */
function absence(): string | undefined {
  try {
    execFileSync(PYTHON, ['-c', 'import inspect_ai'], { stdio: 'pipe' });
    return undefined;
  } catch {
    return `${PYTHON} has no inspect_ai; see tests/peers/inspect/README.md`;
  }
}

const absent = absence();
if (absent !== undefined) process.stderr.write(`skipped: ${absent}\n`);

const folder = mkdtempSync(join(tmpdir(), 'unrut-inspect-peer-'));
const transcripts = fixtureResults.transcripts!.filter(({ after }) => after);

type Read = {
  status: string;
  task: string;
  model: string;
  epochs: number;
  frames: object;
  scores: Record<string, Record<string, number>>;
  summaries: [string, number, number][];
  streamed: number;
  samples: { id: string; turns: [string, string, string, string][]; scores: object; logprobs: [string, number][] }[];
};

/** The last line that the peer prints. */
function ask(action: 'read' | 'make', path: string): unknown {
  const said = execFileSync(PYTHON, ['tests/peers/inspect/peer.py', action, path], { encoding: 'utf8' });
  return JSON.parse(said.trimEnd().split('\n').at(-1)!); // it prints one
}

describe.skipIf(absent !== undefined)('Inspect', () => {
  beforeAll(() => writeTranscripts(folder, fixtureResults));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('reads every value of a log that unrut wrote', () => {
    const log = ask('read', join(folder, 'transcripts.eval')) as Read; // as peer.py prints it
    const { name, model } = fixtureResults.run;
    expect(log).toMatchObject({
      status: 'success',
      task: `unrut/${name}`,
      model: inspectModel(`${model} after ${name}`),
      epochs: 1,
    });
    const messages = transcripts.reduce((sum, { after }) => sum + after!.turns.length, 0);
    const events = 2 * transcripts.length; // what was said, and its score
    expect(log.frames).toEqual({
      samples: transcripts.length,
      messages: [messages, messages],
      events: [events, events],
    });
    expect(log.streamed).toBe(transcripts.length);
    expect(log.summaries.map(([id]) => id)).toEqual(transcripts.map(({ id }) => id));
    for (const sample of log.samples) expectSame(sample, transcripts.find(({ id }) => id === sample.id)!);
    const row = fixtureResults.probes.find(({ metric, condition }) => metric === 'blind_spot' && !condition)!;
    expect(log.scores.defensiveness!.blind_spot).toBe(row.after!.value);
    const good = transcripts.filter(({ after }) => after!.outcome!.good).length;
    expect(log.scores.as_wanted!.accuracy).toBeCloseTo(good / transcripts.length, 12);
  });

  it('scores a log that unrut wrote, though there is no model to ask', () => {
    const copy = join(folder, 'scored.eval');
    cpSync(join(folder, 'transcripts.eval'), copy);
    const words = ['score', copy, '--scorer', 'includes', '--action', 'append', '--overwrite'];
    const said = execFileSync(join(dirname(PYTHON), 'inspect'), words, { encoding: 'utf8' });
    expect(said).toContain('includes');
  });

  it('makes a log that unrut measures', async () => {
    const log = await EvalLogFile.open(ask('make', folder) as string); // as peer.py prints it
    const { report, damaged } = await measureLog(log, () => {});
    await log.close();
    expect({ model: log.header.eval.model, damaged }).toEqual({ model: 'mockllm/model', damaged: [] });
    expect(report.problems).toMatchObject([{ family: 'sums', count: 2 }]);
    const sum = (metric: string) => {
      const { outcomes } = report.rows.find((row) => row.metric === metric)!;
      return outcomes.reduce(([up, down], one) => [up! + one.numerator, down! + one.denominator], [0, 0]);
    };
    expect(sum('turn_looped')).toEqual([2, 8]);
    expect(sum('wrong_answer_mended')).toEqual([2, 2]);
    expect(sum('answer_flipped')).toEqual([2, 2]);
  });

  it.skipIf(noBrowser !== undefined)('shows a log that unrut wrote in its own viewer', async () => {
    const logs = join(folder, 'logs');
    cpSync(join(folder, 'transcripts.eval'), join(logs, 'transcripts.eval'));
    const port = await freePort();
    const words = ['view', 'start', '--log-dir', logs, '--port', String(port)];
    const view = spawn(join(dirname(PYTHON), 'inspect'), words, { stdio: 'ignore' });
    const browser = await openBrowser();
    try {
      await answers(`http://127.0.0.1:${port}/`, view);
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
      const { id, after } = transcripts[0]!;
      await page.goto(
        `http://127.0.0.1:${port}/#/logs/transcripts.eval/samples/sample/${encodeURIComponent(id)}/1/messages`,
      );
      await page.getByText(after!.turns.at(-1)!.text, { exact: true }).first().waitFor({ timeout: 60_000 });
      if (process.env.UNRUT_SCREENSHOT) await page.screenshot({ path: process.env.UNRUT_SCREENSHOT });
    } finally {
      await browser.close();
      view.kill();
    }
  });
});

function expectSame({ turns, scores, logprobs }: Read['samples'][number], { after }: Transcript): void {
  const said = after!.turns.map(({ role, text, origin }) => {
    return [role, text, origin === 'sampled' ? 'generate' : 'input', origin];
  });
  expect(turns).toEqual(said);
  const { good, text } = after!.outcome!;
  expect(scores).toEqual({ as_wanted: [good ? 'C' : 'I', text] });
  const tokens = after!.turns.findLast(({ origin }) => origin === 'sampled')?.tokens ?? [];
  expect(logprobs).toEqual(tokens.map((token) => [token.text, token.logprob]));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (typeof address !== 'object' || !address) throw new Error('no port');
  return address.port;
}

async function answers(url: string, program: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 120 && program.exitCode === null; tries++) {
    if (
      await fetch(url).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return;
    await sleep(500);
  }
  throw new Error(`inspect view does not answer at ${url}`);
}
