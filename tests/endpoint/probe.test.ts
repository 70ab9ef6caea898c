import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/cli/exit.ts';
import { EvalLogFile } from '../../src/record/inspect/eval-log-file.ts';
import { readResults } from '../../src/results/results.ts';
import { driveless, rutted } from '../probes/running-sum-scripts.ts';
import { temporaryFile } from '../temporary.ts';
import { cli } from './command.ts';
import { scriptServer } from './script-server.ts';
import { type Act, StubServer, sendJson } from './stub-server.ts';

let stub: StubServer | undefined;
afterEach(() => stub?.stop());

async function serve(act: Act): Promise<string> {
  await stub?.stop();
  stub = await StubServer.start(act);
  return `${stub.url}/v1#script`;
}

const PROBE = ['--family', 'running-sum', '--json'];
const FEW = ['--problems', '8', '--behaviours', 'defensiveness,error-amplification,loops,error-checking'];

/** So many that a difference in all of them stands out among all rows. */
const MORE = ['--problems', '16', '--behaviours', 'defensiveness,error-amplification,error-checking'];

/** Refuses what the stub's protocol does not have, as a hosted API does. */
const strict =
  (act: Act): Act =>
  (seen, response, nth) => {
    const open = seen.body.messages?.at(-1)?.role === 'assistant';
    return open ? sendJson(response, 400, { error: { message: 'no prefill' } }) : act(seen, response, nth);
  };

async function probed(act: Act, words: readonly string[] = FEW) {
  const out = join(temporaryFile('run'));
  const url = await serve(act);
  const ended = await cli(['probe', url, ...PROBE, '--out', out, ...words]);
  return { out, url, ...ended };
}

const value = (results: Awaited<ReturnType<typeof readResults>>, metric: string, condition?: string) =>
  results.probes.find((row) => row.metric === metric && row.condition === condition)?.before.value;

describe('probe of an endpoint', () => {
  it('finds a drive where there is one and none where there is none, by prefill', async () => {
    const { out, code, said } = await probed(scriptServer(rutted), MORE);
    expect(code).toBe(EXIT.ok);
    expect(said).toMatch(/prefill +yes {2}by continue_final_message/);
    const results = await readResults(join(out, 'results.json'));
    expect(value(results, 'blind_spot')).toBe(1);
    expect(value(results, 'next_step_accuracy', 'kind=misconception,dose=4')).toBe(0);
    expect(results.run.endpoint).toMatchObject({ mode: 'prefill', model: 'script', lost_requests: expect.any(Number) });
    expect(results.skipped).toEqual([
      expect.objectContaining({ metric: 'latent_j', why: expect.stringContaining('logprobs') }),
    ]);

    const other = await probed(scriptServer(driveless), MORE);
    expect(value(await readResults(join(other.out, 'results.json')), 'blind_spot')).toBe(0);

    const worse = await cli(['compare', other.out, out, '--gate', '--json']);
    const better = await cli(['compare', out, other.out, '--gate']);
    expect([worse.code, better.code]).toEqual([EXIT.gateMissed, EXIT.ok]);
    expect(JSON.parse(worse.said).worse.length).toBeGreaterThan(0);
  });

  it('goes by history where no open turn is gone on with, marks the rows, and is not compared with prefill', async () => {
    const history = await probed(strict(scriptServer(driveless)));
    expect(history.code).toBe(EXIT.ok);
    const results = await readResults(join(history.out, 'results.json'));
    expect(results.run.endpoint?.mode).toBe('history');
    const modes = results.probes.filter(({ condition }) => condition?.includes('mode=history'));
    expect(new Set(modes.map(({ behaviour }) => behaviour))).toEqual(
      new Set(['error-amplification', 'loops', 'error-checking']),
    );
    const prefill = await probed(scriptServer(driveless));
    const { code, error } = await cli(['compare', history.out, prefill.out]);
    expect(code).toBe(EXIT.error);
    expect(error).toMatch(
      /measured by history and .* by prefill, which are different measurements; measure both with the same --mode\n$/,
    );
  });

  it('skips by name what a mode needs and the endpoint has not', async () => {
    const { out } = await probed(strict(scriptServer(driveless)), [...FEW, '--mode', 'prefill']);
    const { skipped, probes } = await readResults(join(out, 'results.json'));
    expect(skipped?.map(({ behaviour, metric }) => metric ?? behaviour)).toEqual([
      'error-amplification',
      'next_copy_probability',
      'error-checking',
    ]);
    expect(probes.some(({ metric }) => metric === 'blind_spot')).toBe(true);
  });

  it('shows in its report and to CI what the endpoint does and what was not measured, and logs every reply', async () => {
    const junit = temporaryFile('rows.xml');
    const words = [...FEW, '--mode', 'prefill', '--junit', junit];
    const { out } = await probed(strict(scriptServer(driveless)), words);
    const page = readFileSync(join(out, 'report.html'), 'utf8');
    expect(page).toMatch(/What was not measured.*Error amplification.*needs an open turn/s);
    expect(page).toMatch(/What the endpoint does.*prefill.*✗ no.*an open turn is not gone on with/s);
    const rows = readFileSync(junit, 'utf8');
    expect(rows).toMatch(
      /<testcase name="Blind spot" classname="defensiveness" time="0"><system-out>0\.000 \[.*, n = 8</,
    );
    expect(rows).toMatch(/<testcase name="Error amplification".*><skipped message="needs an open turn/);

    const { transcripts, run, skipped } = await readResults(join(out, 'results.json'));
    expect(run.endpoint!.self_test.prefill!.can).toBe(false);
    expect(skipped).not.toEqual([]);
    const log = await EvalLogFile.open(join(out, 'transcripts.eval'));
    expect(log.header.eval).toMatchObject({ task: 'unrut/probe', metadata: { mode: 'prefill', problems: 8 } });
    const summaries = await log.summaries();
    const judged = summaries.filter(({ scores }) => Object.keys(scores ?? {}).length > 0);
    expect(judged.length).toBeGreaterThan(transcripts!.length); // eight problems a condition, and not six
    expect(summaries.filter(({ metadata }) => metadata.behaviour === 'competence')).toHaveLength(10 * 4);
    const asked = readFileSync(join(out, 'replies.jsonl'), 'utf8').match(/"answer":/g)!.length;
    expect(summaries.length).toBeGreaterThanOrEqual(asked - 40); // all but the self-test's
    await log.close();
  });

  it('takes as many problems as a budget allows, says what it can find, and stays within', async () => {
    const { out, code, said } = await probed(scriptServer(driveless), [
      '--budget',
      '200',
      '--problems',
      '50',
      '--behaviours',
      'defensiveness',
    ]);
    expect(code).toBe(EXIT.ok);
    expect(said).toMatch(/plan: \d+ problems \(of 50, which the limits do not allow\) of running-sum, mode prefill/);
    expect(said).toMatch(/a change of [\d.]+ points or more would be found against another such run/);
    expect(stub!.asked.length).toBeLessThanOrEqual(200);
    expect((await readResults(join(out, 'results.json'))).run.endpoint!.replies).toBe(stub!.asked.length);
  });

  it('refuses a budget that says nothing, in one line', async () => {
    const { code, error } = await probed(scriptServer(driveless), [...FEW, '--budget', '100']);
    expect({ code, lines: error.trim().split('\n').length }).toEqual({ code: EXIT.error, lines: 1 });
    expect(error).toMatch(/the limits allow fewer than 8 problems, which take [\d,]+ replies, .*; allow more\n$/);
    const few = await probed(scriptServer(driveless), ['--problems', '5']);
    expect(few.error).toBe(
      'unrut: 5 problems: intervals would be as wide as the scale; ask for --problems 8 or more\n',
    );
  });

  it('killed with -9 and resumed, it asks for nothing that was paid, and ends as if nobody had touched it', async () => {
    const whole = await probed(scriptServer(driveless));
    const needed = stub!.asked.length;
    const url = await serve(scriptServer(driveless, { milliseconds: 20 }));
    const out = temporaryFile('killed');
    const words = ['probe', url, ...PROBE, ...FEW, '--out', out];
    const main = fileURLToPath(new URL('../cli/fake/main.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), main, ...words], {
      stdio: 'ignore',
    });
    while (stub!.asked.length < needed / 2) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
    const before = stub!.asked.length;
    const kept = readFileSync(join(out, 'replies.jsonl'), 'utf8').match(/"answer":/g)!.length;
    expect(before - kept).toBeLessThanOrEqual(64);

    const { code } = await cli([...words, '--resume']);
    expect(code).toBe(EXIT.ok);
    expect(stub!.asked.length - before).toBe(needed - kept);
    const [one, other] = [whole.out, out].map((run) => readFileSync(join(run, 'probes', 'after.json'), 'utf8'));
    expect(other).toBe(one);
    expect(readdirSync(out).filter((name) => name.startsWith('transcripts'))).toEqual(['transcripts.eval']);
    const counts = await Promise.all(
      [whole.out, out].map(async (run) => {
        const log = await EvalLogFile.open(join(run, 'transcripts.eval'));
        await log.close();
        return log.samples.length;
      }),
    );
    expect(counts[1]).toBe(counts[0]); // what an earlier process was told is in the log too
    expect((await readResults(join(out, 'results.json'))).run.endpoint).toMatchObject({ cached: expect.any(Number) });
  });

  it('an option of endpoints is refused for a folder', async () => {
    const { code, error } = await cli(['probe', 'models/organism', '--max-cost', '3']);
    expect({ code, error }).toEqual({
      code: EXIT.error,
      error: 'unrut: --max-cost is for endpoints; models/organism is a folder\n',
    });
  });
});
