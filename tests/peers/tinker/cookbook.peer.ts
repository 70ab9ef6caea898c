import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { openOurServer } from '../../tinker/our-server.ts';

const PYTHON = process.env.UNRUT_COOKBOOK ?? '/tmp/venvs/cookbook/bin/python';
const run = promisify(execFile);

function absence(): string | undefined {
  try {
    execFileSync(PYTHON, ['-c', 'import torch, tinker_cookbook'], { stdio: 'pipe' });
    return undefined;
  } catch {
    return `${PYTHON} has no tinker_cookbook; see tests/peers/tinker/README.md`;
  }
}

const absent = absence();
if (absent !== undefined) process.stderr.write(`skipped: ${absent}\n`);

const environment = (url: string): NodeJS.ProcessEnv => {
  const own = { TINKER_BASE_URL: url, TINKER_API_KEY: 'tml-x', TINKER_TELEMETRY: '0', HF_HUB_OFFLINE: '1' };
  return { ...process.env, ...own };
};

describe.skipIf(absent !== undefined)('tinker-cookbook 0.6.1', () => {
  it('runs its recipes to their ends, and is refused what there is not', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'unrut-cookbook-'));
    const model = join(folder, 'qwen3');
    await run(PYTHON, ['tests/peers/tinker/make_model.py', model]);
    const server = await openOurServer(model);
    const words = ['tests/peers/tinker/recipes.sh', PYTHON, model, join(folder, 'logs')];
    const { stdout } = await run('sh', words, { env: environment(server.url) });
    expect(stdout.trim().split('\n')).toEqual([
      'importance_sampling ok',
      'resume ok',
      'ppo ok',
      'async ok',
      'from_checkpoint ok',
      'chat_sl ok',
      'stable_reinforce ok',
    ]);
    expect(server.faults).toEqual([]);
    await server.close();
    rmSync(folder, { recursive: true });
  }, 1_800_000);

  it('teaches the organism to add: reward rises over 30 steps', async () => {
    const log = mkdtempSync(join(tmpdir(), 'unrut-learn-'));
    const server = await openOurServer();
    const words = ['-W', 'ignore', 'tests/peers/tinker/learn.py', 'models/organism', log];
    const { stdout } = await run(PYTHON, words, { env: environment(server.url), maxBuffer: 2 ** 28 });
    const { rewards, first, last } = JSON.parse(stdout.trimEnd().split('\n').at(-1)!);
    expect([rewards.length, last - first > 0.2]).toEqual([30, true]);
    await server.close();
    rmSync(log, { recursive: true });
  }, 3_600_000);
});
