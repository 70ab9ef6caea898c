import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/cli/exit.ts';
import { Sandbox } from './fake/sandbox.ts';

/** Slow enough that a signal hits the middle of a step. */
const SLOW = { FAKE_STEP_MS: '25', FAKE_PROBE_MS: '150' };

/** What the recipe says anyway, in words that a shell would take apart. */
const GATE = 'gates.1.atLeast=before - 0.9';

let box: Sandbox;

beforeAll(async () => {
  box = new Sandbox();
  expect(await box.run(['run', 'tiny.yaml', '--quiet', '--out', 'uninterrupted'])).toMatchObject({ code: EXIT.ok });
});
afterAll(() => box.remove());

/** All that a run leaves, apart from clocks: what must not depend on how often it was stopped. */
async function outcome(run: string): Promise<unknown> {
  const { seconds: _seconds, stages, run: card, ...results } = JSON.parse(box.read(`${run}/results.json`));
  const unclocked = stages.map(({ seconds: _spent, ...stage }: { seconds: number }) => stage);
  const { overrides: _typed, ...about } = card; // one of the runs says in options what the recipe says anyway
  return { trained: await box.trained(run), results, stages: unclocked, run: { ...about, started: '' } };
}

/** Starts or resumes a run and kills it with -9 a little after the wanted number of events. */
async function killAfter(events: number, delay: number, words: readonly string[]): Promise<void> {
  const { child, ended } = box.start(['run', 'tiny.yaml', '--json', ...words], SLOW);
  let seen = 0;
  child.stdout!.on('data', (data: Buffer) => {
    seen += data.toString().split('\n').length - 1;
    if (seen >= events) setTimeout(() => child.kill('SIGKILL'), delay);
  });
  expect((await ended).signal).toBe('SIGKILL');
}

describe('a run that is killed with -9', () => {
  it('goes on from where it was, loses at most one step, and ends with the same bytes', async () => {
    // events of a whole run: start, probe, stage, 15 steps, ...; the kills fall on probes, steps and stage ends
    const kills = [[3, 0], [4, 10], [6, 31], [9, 3], [5, 17], [7, 0], [8, 24], [3, 5]] as const; // biome-ignore format: events and milliseconds
    for (const [index, [events, delay]] of kills.entries()) {
      await killAfter(events, delay, ['--out', 'killed', ...(index > 0 ? ['--resume'] : [])]);
    }
    const { code } = await box.run(['run', 'tiny.yaml', '--quiet', '--out', 'killed', '--resume']);
    expect(code).toBe(EXIT.ok);
    expect(await outcome('killed')).toEqual(await outcome('uninterrupted'));
    expect(stepsLost('killed')).toHaveLength(kills.length);
    expect(Math.max(...stepsLost('killed'))).toBeLessThanOrEqual(1);
    expect(readdirSync(box.at('killed')).sort()).toEqual(readdirSync(box.at('uninterrupted')).sort());
  });

  it('measures nothing twice', async () => {
    await killAfter(8, 0, ['--out', 'measured']);
    const log = { FAKE_PROBE_LOG: box.at('probes.log') };
    expect((await box.run(['run', 'tiny.yaml', '--quiet', '--out', 'measured', '--resume'], log)).code).toBe(EXIT.ok);
    expect(box.read('probes.log').trim().split('\n')).toEqual(['after-drift', 'after-pooled', 'after']);
  });

  it('starts anew where it was killed before it had written anything', async () => {
    const { code, stderr } = await box.run(['run', 'tiny.yaml', '--quiet', '--out', 'early', '--resume']);
    expect({ code, stderr }).toEqual({ code: EXIT.ok, stderr: 'unrut: early: nothing to resume, starts anew\n' });
    expect(await outcome('early')).toEqual(await outcome('uninterrupted'));
  });

  it('is refused a resume with another recipe or another model', async () => {
    await killAfter(6, 0, ['--out', 'other']);
    const resume = ['run', 'tiny.yaml', '--out', 'other', '--resume'];
    const recipe = await box.run([...resume, '--set', 'stages.drift.steps=16']);
    expect(recipe).toMatchObject({ code: EXIT.error });
    expect(recipe.stderr).toContain('the run was begun with recipe.stages.0.steps 15, not 16');
    box.write('model/config.json', '{"other": true}');
    const model = await box.run(resume);
    box.write('model/config.json', '{}');
    expect(model).toMatchObject({ code: EXIT.error });
    expect(model.stderr).toContain('the model has changed since the run in other');
  });
});

describe('Ctrl-C', () => {
  it('saves, exits with 130 and says the command that goes on to the same result', async () => {
    const { child, ended } = box.start(['run', 'tiny.yaml', '--out', 'stopped', '--seed', '3', '--set', GATE], SLOW);
    child.stdout!.on('data', (data: Buffer) => {
      if (data.includes('drift 6/15')) child.kill('SIGINT');
    });
    const { code, stderr } = await ended;
    expect(code).toBe(EXIT.interrupted);
    expect(box.events('stopped').at(-1)).toMatchObject({ kind: 'run-interrupted' });
    const [, command] = /go on with\n {2}unrut (.*)\n/.exec(stderr)!;
    expect(command).toBe(`run tiny.yaml --resume --out stopped --set '${GATE}' --seed 3`);
    expect(
      await box.run(['run', 'tiny.yaml', '--resume', '--out', 'stopped', '--set', GATE, '--seed', '3']),
    ).toMatchObject({ code: EXIT.ok });
    expect(await outcome('stopped')).toEqual(await outcome('uninterrupted'));
    expect(stepsLost('stopped')).toEqual([0]);
  });

  it('pressed twice ends at once', async () => {
    const { child, ended } = box.start(['run', 'tiny.yaml', '--out', 'twice'], { FAKE_STEP_MS: '60000' });
    child.stdout!.on('data', async (data: Buffer) => {
      if (!data.includes('stage drift')) return;
      child.kill('SIGINT');
      await sleep(200);
      child.kill('SIGINT');
    });
    expect(await ended).toMatchObject({ code: EXIT.interrupted, signal: null });
    expect(readdirSync(box.at('twice'))).not.toContain('lock');
  });

  it('stops a probe too, which leaves nothing behind', async () => {
    const { child, ended } = box.start(['probe', 'model', '--out', 'probed'], { FAKE_PROBE_MS: '300' });
    child.stdout!.once('data', () => child.kill('SIGINT'));
    expect((await ended).code).toBe(EXIT.interrupted);
    expect(readdirSync(box.path)).not.toContain('probed');
  });
});

describe('a disk that is full', () => {
  it('ends the run with one line, leaves no half checkpoint, and the run goes on when there is room', async () => {
    const full = await box.run(['run', 'tiny.yaml', '--out', 'full'], { FAKE_FULL_DISK_AT: '7' });
    expect(full.code).toBe(EXIT.error);
    expect(full.stderr).toMatch(/^unrut: cannot write .*drift-000007: no space left on the device; .*--resume\n$/);
    expect(readdirSync(box.at('full/checkpoints')).sort()).toEqual(['drift-000005', 'drift-000006', 'memory']);
    expect(box.read('full/checkpoints/drift-000006/policy/steps.json')).toBe('6');
    expect((await box.run(['run', 'tiny.yaml', '--quiet', '--out', 'full', '--resume'])).code).toBe(EXIT.ok);
    expect(await outcome('full')).toEqual(await outcome('uninterrupted'));
  });
});

/** Steps that were told as done and had to be done again, at every resume. */
function stepsLost(run: string): number[] {
  const lost: number[] = [];
  let reached = '';
  let done = 0;
  for (const event of box.events(run)) {
    if (event.kind === 'stage-started' && event.stage !== reached) [reached, done] = [event.stage, event.step];
    if (event.kind === 'step') done = event.step + 1;
    if (event.kind === 'stage-finished') done = 0;
    if (event.kind === 'run-resumed') lost.push(event.stage === reached ? done - event.step : 0);
  }
  return lost;
}
