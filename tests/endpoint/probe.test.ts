import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { compare } from '../../src/cli/compare-command.ts';
import { EXIT } from '../../src/cli/exit.ts';
import { runCli } from '../../src/cli/program.ts';
import { readResults } from '../../src/record/results.ts';
import { fakeParts } from '../cli/fake/fake-parts.ts';
import { driveless, rutted } from '../probes/running-sum-scripts.ts';
import { scriptServer } from './script-server.ts';
import { type Act, StubServer, sendJson } from './stub-server.ts';
import { temporaryFile } from './temporary.ts';

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

/** Everything that a command writes, and how it ends. */
async function cli(words: readonly string[]): Promise<{ code: number; said: string; error: string }> {
  const { stdout, stderr } = process;
  const [write, writeError] = [stdout.write, stderr.write];
  const said: string[] = [];
  const errors: string[] = [];
  stdout.write = (text) => said.push(String(text)) > 0;
  stderr.write = (text) => errors.push(String(text)) > 0;
  try {
    const code = await runCli(words, async () => fakeParts);
    return { code, said: said.join(''), error: errors.join('') };
  } finally {
    stdout.write = write;
    stderr.write = writeError;
  }
}

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

    const worse = await compare(other.out, out, { gate: true, json: true });
    const better = await compare(out, other.out, { gate: true, json: true });
    expect([worse, better]).toEqual([EXIT.gateMissed, EXIT.ok]);
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
  });

  it('killed with -9 and resumed, it asks for nothing that was paid, and ends as if nobody had touched it', async () => {
    const whole = await probed(scriptServer(driveless));
    const needed = stub!.asked.length;
    const url = await serve(scriptServer(driveless, 20));
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
