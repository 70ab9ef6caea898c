import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/cli/exit.ts';
import { positiveNumber, wholeNumber } from '../../src/cli/options/numbers.ts';
import { Sandbox } from './fake/sandbox.ts';

describe('a number among the options', () => {
  it('is whole and within its range', () => {
    const port = wholeNumber(0, 65_535);
    expect(['0', '8000', '65535', '007'].map(port)).toEqual([0, 8000, 65_535, 7]);
    for (const wrong of ['65536', '99999', '-1', '1.5', '1e3', '0x10', '', ' 1', '１', 'NaN', '9'.repeat(20)]) {
      expect(() => port(wrong), wrong).toThrow(InvalidArgumentError);
    }
    expect(() => wholeNumber(1)('0')).toThrow('It must be a whole number of at least 1.');
  });

  it('or above 0', () => {
    expect(['0.05', '.5', '1', '1e-3'].map(positiveNumber(1))).toEqual([0.05, 0.5, 1, 0.001]);
    for (const wrong of ['0', '1.01', '-1', 'Infinity', '0x1', '', '1.', '١']) {
      expect(() => positiveNumber(1)(wrong), wrong).toThrow(InvalidArgumentError);
    }
  });
});

let box: Sandbox;
beforeAll(() => {
  box = new Sandbox();
  mkdirSync(box.at('folder'));
  writeFileSync(box.at('file'), '');
});
afterAll(() => box.remove());

/** Refused in words on standard error before anything is measured. */
async function refused(words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await box.run(words);
  expect({ code, stdout }).toEqual({ code: EXIT.error, stdout: '' });
  expect(stderr).not.toContain('a fault of unrut');
  return stderr;
}

describe('before anything is measured', () => {
  it.each([
    [['serve', 'model', '--port', '99999'], 'whole number from 0 to 65535'],
    [['view', '--port', '-1'], 'whole number from 0 to 65535'],
    [['probe', 'model', '--problems', '0'], 'whole number from 1 to'],
    [['probe', 'http://127.0.0.1:1/v1#m', '--timeout', '9999999'], 'whole number from 1 to 1000000'],
    [['run', 'tiny.yaml', '--seed', 'x'], 'whole number of at least 0'],
    [['problems', 'validate', '--problems', '0'], 'whole number from 1 to'],
    [['probe', 'model', '--junit', 'no/such/x.xml'], '--junit no/such/x.xml: no folder no/such; make it first'],
    [['probe', 'model', '--junit', 'folder'], '--junit folder: is a folder; name a file in it'],
    [['run', 'tiny.yaml', '--junit', 'no/such/x.xml'], '--junit no/such/x.xml: no folder no/such; make it first'],
    [['probe', 'model', '--out', 'file/in-a-file'], 'cannot be used as a run folder (ENOTDIR); choose another'],
    [['compare', 'model', 'model', '--junit', 'folder'], 'model/results.json'],
    [['probe', 'http://127.0.0.1:1/v1#m', '--problems', '4'], 'ask for --problems 8 or more'],
  ])('%j is refused', async (words, why) => {
    expect(await refused(words)).toContain(why);
  });

  it.each([
    [['probe', '--from-log', 'x.eval', '--seed', '2'], "cannot be used with option '--seed"],
    [['probe', '--from-log', 'x.eval', '--budget', '2'], "cannot be used with option '--budget"],
    [['probe', 'model', '--from-log', 'x.eval'], 'probe: model or --from-log x.eval, not both'],
    [['run', 'tiny.yaml', '--save-every', '3'], '--save-every is of a service; add --engine tinker'],
    [['run', 'tiny.yaml', '--dry-run', '--resume'], "cannot be used with option '--resume"],
    [['serve', 'model', '--data', 'x'], '--data is for --tinker; add it'],
    [['probe', 'model', '--timeout', '3'], '--timeout is for endpoints; model is a folder'],
  ])('%j would be ignored in part and is refused', async (words, why) => {
    expect(await refused(words)).toContain(why);
  });
});

it('a probe that reached nothing leaves nothing', async () => {
  expect(await refused(['probe', 'http://127.0.0.1:1/v1#m'])).toContain('nothing listens there');
  expect(existsSync(box.at('runs/probe-1'))).toBe(false);
  await box.run(['probe', 'http://127.0.0.1:1/v1#m', '--out', 'folder']);
  expect(existsSync(box.at('folder'))).toBe(false);
});

it('a probe without --out says that nothing is kept', async () => {
  const { code, stdout } = await box.run(['probe', 'model', '--problems', '20', '--behaviours', 'error-checking']);
  expect(code).toBe(EXIT.ok);
  expect(stdout).toMatch(/\nnothing of this is kept; --out FOLDER keeps the results and the report\n$/);
});

it('prints the table also where it cannot be kept in the end', async () => {
  const words = ['probe', 'model', '--problems', '20', '--behaviours', 'error-checking', '--out', 'kept'];
  const { child, ended } = box.start(words, { FAKE_PROBE_MS: '700' });
  child.stdout!.once('data', () => writeFileSync(box.at('kept'), 'a file has come in between'));
  const { code, stdout, stderr } = await ended;
  expect(code).toBe(EXIT.error);
  expect(stderr).toMatch(/^unrut: .*kept/);
  expect(stdout).toContain('J, expressed');
});
