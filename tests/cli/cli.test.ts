import { existsSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/cli/exit.ts';
import { resultsSchema } from '../../src/results/results.ts';
import { RECIPE, Sandbox } from './fake/sandbox.ts';

const ESCAPE = String.fromCharCode(27);
let box: Sandbox;

beforeAll(async () => {
  box = new Sandbox();
  expect(await box.run(['run', 'tiny.yaml'])).toMatchObject({ code: EXIT.ok });
});
afterAll(() => box.remove());

const lines = (text: string) => text.trimEnd().split('\n');

/** The one line on standard error that a user's mistake is answered with. */
async function refusal(words: readonly string[], sandbox = box): Promise<string> {
  const { code, stdout, stderr } = await sandbox.run(words);
  expect({ code, stdout }).toEqual({ code: EXIT.error, stdout: '' });
  expect(lines(stderr)).toHaveLength(1);
  return stderr.trimEnd();
}

describe('run', () => {
  it('leaves a run folder with everything in it and nothing half-written', () => {
    expect(readdirSync(box.at('runs/tiny-1')).sort()).toEqual(
      ['checkpoints', 'events.jsonl', 'model', 'probes', 'report.html', 'results.json', 'run.yaml'].sort(),
    );
    expect(readdirSync(box.at('runs/tiny-1/checkpoints')).sort()).toEqual(['after-drift', 'after-pooled', 'memory']);
    expect(readdirSync(box.at('runs/tiny-1/checkpoints/memory'))).toEqual([]);
  });

  it('writes results that keep the contract, with gates, stages, curves and tokens', () => {
    const results = resultsSchema.parse(JSON.parse(box.read('runs/tiny-1/results.json')));
    expect(results.gates.map(({ after_stage, held }) => [after_stage, held])).toEqual([
      ['drift', true],
      ['pooled', true],
      ['end', true],
    ]);
    expect(results.stages?.map(({ stage, tokens }) => [stage, tokens])).toEqual([
      ['base', 0],
      ['drift', 15 * 32],
      ['pooled', 15 * 8 + 4 * 8],
    ]);
    expect(results.curves?.map(({ stage, name, points }) => [stage, name, points.length])).toEqual([
      ['drift', 'loss', 15],
      ['drift', 'reward', 15],
      ['pooled', 'loss', 15],
      ['pooled', 'reward', 15],
    ]);
    expect(results.probes.map(({ metric, after, change }) => [metric, !!after, !!change])).toEqual([
      ['j', true, true],
      ['j', true, true],
      ['clean_accuracy', true, true],
    ]);
  });

  it('prints plain lines without colours when piped, with the table and the path of the report at the end', async () => {
    const { code, stdout, stderr } = await box.run(['run', 'tiny.yaml', '--out', 'plain'], { FORCE_COLOR: '' });
    expect({ code, stderr }).toEqual({ code: EXIT.ok, stderr: '' });
    expect(stdout).not.toContain(ESCAPE);
    expect(stdout).toMatch(/drift 3\/15 {2}\d.* left {2}loss \d+/);
    expect(stdout).toContain('3 of 3 gates held');
    expect(lines(stdout).at(-1)).toMatch(/report +plain\/report.html$/);
  });

  it('prints one JSON event a line with --json, and the table alone with --quiet', async () => {
    const json = await box.run(['run', 'tiny.yaml', '--json', '--out', 'json']);
    const kinds = lines(json.stdout).map((line) => JSON.parse(line).kind);
    expect(kinds.filter((kind) => kind === 'step')).toHaveLength(30);
    expect(kinds.at(-1)).toBe('results');
    const quiet = await box.run(['run', 'tiny.yaml', '--quiet', '--out', 'quiet']);
    expect(quiet.stdout).not.toContain('15/15');
    expect(quiet.stdout).toContain('3 of 3 gates held');
  });

  it('trains the same bytes from the same seed, and others from another', async () => {
    await box.run(['run', 'tiny.yaml', '--quiet', '--seed', '4', '--out', 'other-seed']);
    expect(await box.trained('quiet')).toEqual(await box.trained('runs/tiny-1'));
    expect(await box.trained('other-seed')).not.toEqual(await box.trained('runs/tiny-1'));
  });

  it('leaves out a stage that is switched off, and its gate with it', async () => {
    const { code } = await box.run(['run', 'tiny.yaml', '--set', 'stages.drift.off=true', '--out', 'ablated']);
    expect(code).toBe(EXIT.ok);
    const results = JSON.parse(box.read('ablated/results.json'));
    expect(results.gates.map((gate: { after_stage: string }) => gate.after_stage)).toEqual(['pooled', 'end']);
    expect(existsSync(box.at('ablated/checkpoints/after-drift'))).toBe(false);
  });

  it('exits with 100 when a bar is missed: the stages that follow are left out where the recipe says stop', async () => {
    const stop = await box.run([
      'run',
      'tiny.yaml',
      '--set',
      'gates.0.atLeast=0.99',
      '--set',
      'gates.0.otherwise=stop',
      '--out',
      'stop',
    ]);
    expect(stop.code).toBe(EXIT.gateMissed);
    expect(stop.stdout).toContain('stage pooled left out');
    expect(existsSync(box.at('stop/report.html'))).toBe(true);
    const goOn = await box.run(['run', 'tiny.yaml', '--set', 'gates.0.atLeast=0.99', '--out', 'go-on']);
    expect(goOn.code).toBe(EXIT.gateMissed);
    expect(goOn.stdout).toContain('stage pooled done');
  });

  it('--dry-run says what it costs, and with a flag the resolved recipe, and writes nothing', async () => {
    const before = readdirSync(box.path).sort();
    const { code, stdout } = await box.run(['run', 'tiny.yaml', '--dry-run', '--set', 'stages.pooled.refresh=5']);
    expect(code).toBe(EXIT.ok);
    expect(stdout).toMatch(/^tiny: 2 stages and 3 gates on .*model, seed 3\nabout .* s on this machine\n/);
    expect(stdout).not.toContain('refresh: 5');
    expect(stdout).toMatch(/drift +15 +480 +0/);
    expect(stdout).toMatch(/total +30 /);
    const resolved = await box.run(['run', 'tiny.yaml', '--dry-run', '--resolved']);
    expect(resolved.stdout).toContain('  - stage: pooled\n    off: false\n    steps: 15\n');
    const json = JSON.parse((await box.run(['run', 'tiny.yaml', '--dry-run', '--json'])).stdout);
    expect(json).toMatchObject({ kind: 'dry-run', total: { steps: 30 }, recipe: { name: 'tiny', seed: 3 } });
    expect(json.lines.map(({ what }: { what: string }) => what)).toContain('drift');
    expect(json.total.minutes).toBeGreaterThan(0);
    expect(readdirSync(box.path).sort()).toEqual(before);
  });

  it('refuses a folder that holds something, and one that another process is writing', async () => {
    expect(await refusal(['run', 'tiny.yaml', '--out', 'runs/tiny-1'])).toMatch(
      /runs\/tiny-1: already holds something; add --resume/,
    );
    const { child, ended } = box.start(['run', 'tiny.yaml', '--out', 'busy'], { FAKE_STEP_MS: '300' });
    await new Promise((resolve) => child.stdout!.once('data', resolve));
    expect(await refusal(['run', 'tiny.yaml', '--out', 'busy', '--resume'])).toContain(
      `process ${child.pid} is writing this run`,
    );
    child.kill('SIGKILL');
    await ended;
  });

  it('answers a mistake with one line that names the culprit', async () => {
    expect(await refusal(['run', 'nowhere.yaml'])).toContain('nowhere.yaml: no such recipe');
    expect(await refusal(['run', 'tiny.yaml', '--set', 'stages.drift.stpes=3'])).toContain(
      'unknown key "stpes" in stages.0; did you mean "steps"?',
    );
    expect(await refusal(['run', 'tiny.yaml', '--set', 'model=elsewhere'])).toMatch(/elsewhere: no such model folder/);
    expect(await refusal(['run', 'tiny.yaml', '--seed', 'x'])).toContain(
      "'x' is invalid. It must be a whole number of at least 0; add --help",
    );
    expect(await refusal(['run', 'tiny.yaml', '--out', 'tiny.yaml'])).toContain(
      'tiny.yaml: cannot be used as a run folder',
    );
    expect(await refusal(['run', 'tiny.yaml', '--resume', '--out', 'model'])).toContain(
      'model: not the folder of a run',
    );
  });

  it('finds a gate on a row that no probe yields before it trains anything', async () => {
    const words = ['run', 'tiny.yaml', '--quiet', '--set', 'gates.1.condition=kind=slop', '--out', 'no-row'];
    expect(await refusal(words)).toContain('gate on j: no row with condition kind=slop; did you mean "kind=slip"?');
  });

  it('asks for a report of its own mistakes, with the stack', async () => {
    const sandbox = new Sandbox(RECIPE.replace('  - stage: drift', '  - stage: broken\n  - stage: drift'));
    const { code, stderr } = await sandbox.run(['run', 'tiny.yaml']);
    expect(code).toBe(EXIT.error);
    expect(stderr).toMatch(/TypeError: a stage with a mistake in it\n +at .*fake-parts/);
    expect(stderr).toContain('please report it');
    sandbox.remove();
  });
});

describe('the other commands', () => {
  it('probe measures a model or the model of a run, and keeps what it measured', async () => {
    const words = ['probe', 'runs/tiny-1', '--problems', '60', '--behaviours', 'error-checking', '--out', 'probed'];
    const { code, stdout } = await box.run(words);
    expect(code).toBe(EXIT.ok);
    expect(stdout).toContain('J, expressed');
    expect(readdirSync(box.at('probed')).sort()).toEqual(['probes', 'report.html', 'results.json']);
    expect(await refusal(['probe', 'nowhere'])).toContain('nowhere: no such model folder');
    expect(await refusal(['probe', 'model', '--behaviours', 'lops'])).toContain('did you mean "loops"?');
  });

  it('compare pairs two runs by problem; --gate exits with 100 when a row got worse', async () => {
    const same = await box.run(['compare', 'runs/tiny-1', 'quiet', '--gate']);
    expect(same).toMatchObject({ code: EXIT.ok });
    expect(same.stdout).toContain('no row is worse');
    const worse = JSON.parse(box.read('quiet/probes/after.json'));
    for (const row of worse.rows) for (const outcome of row.outcomes) outcome.numerator = 0;
    box.write('quiet/probes/after.json', JSON.stringify(worse));
    const gated = await box.run(['compare', 'runs/tiny-1', 'quiet', '--gate']);
    expect(gated.code).toBe(EXIT.gateMissed);
    expect(gated.stdout).toMatch(/J, expressed .*WORSE/);
    expect((await box.run(['compare', 'runs/tiny-1', 'quiet'])).code).toBe(EXIT.ok);
    worse.problems[0].sha256 = '1'.repeat(64);
    box.write('quiet/probes/after.json', JSON.stringify(worse));
    expect(await refusal(['compare', 'runs/tiny-1', 'quiet'])).toContain('were measured on different problems');
    expect(await refusal(['compare', 'runs/tiny-1', 'model'])).toContain('give the results.json of a finished run');
  });

  it('report makes the page anew and keeps the exit code of the gates', async () => {
    const first = box.read('runs/tiny-1/report.html');
    box.write('runs/tiny-1/report.html', '');
    expect((await box.run(['report', 'runs/tiny-1'])).code).toBe(EXIT.ok);
    expect(box.read('runs/tiny-1/report.html')).toBe(first);
    expect((await box.run(['report', 'stop'])).code).toBe(EXIT.gateMissed);
    expect(await refusal(['report', 'nowhere'])).toContain('nowhere: no such run');
  });

  it('every command and each of its own has help with an example', async () => {
    const shown = async (words: readonly string[]): Promise<string[]> => {
      const { code, stdout } = await box.run([...words, '--help']);
      expect({ words, code }).toEqual({ words, code: EXIT.ok });
      if (words.length > 0) expect(stdout).toMatch(new RegExp(`Examples?:\\n +unrut ${words.join(' ')}`));
      const inner = [...(stdout.split('Commands:')[1]?.split('\n\n')[0] ?? '').matchAll(/^ {2}(?!help)([a-z]+)/gm)].map(
        ([, name]) => name!,
      );
      const below = await Promise.all(inner.map((name) => shown([...words, name])));
      return [words.join(' '), ...below.flat()];
    };
    const all = await shown([]);
    expect(all).toEqual(
      expect.arrayContaining(['run', 'probe', 'serve', 'view', 'problems show', 'checkpoints delete']),
    );
  });
});
