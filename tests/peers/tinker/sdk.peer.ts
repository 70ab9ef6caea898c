import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OurServer, openOurServer } from '../../tinker/our-server.ts';

const TORCH = process.env.UNRUT_PYTHON ?? '.venv/bin/python';
const SDKS = {
  '0.38.0': process.env.UNRUT_TINKER38 ?? '/tmp/venvs/tinker38/bin/python',
  '0.25.0': process.env.UNRUT_TINKER25 ?? '/tmp/venvs/tinker25/bin/python',
};

/** Against PyTorch, nats. */
const BAR = 1e-4;

const run = promisify(execFile);

function absence(python: string, version: string): string | undefined {
  try {
    execFileSync(TORCH, ['-c', 'import torch, transformers, safetensors'], { stdio: 'pipe' });
    const check = `import tinker, torch; assert tinker.__version__ == "${version}"`;
    execFileSync(python, ['-c', check], { stdio: 'pipe' });
    return undefined;
  } catch {
    return `${python} has no tinker ${version} with torch, or ${TORCH} no torch; see tests/peers/tinker/README.md`;
  }
}

type Many = readonly (number | null)[];
type Saw = {
  readonly sums: Readonly<Record<'one' | 'other' | 'both' | 'twice' | 'negative', number>>;
  readonly steps: readonly number[];
  readonly trained: readonly number[];
  readonly losses: Readonly<Record<string, number>>;
  readonly soft: readonly [number, number];
  readonly chunks: { readonly outputs: number; readonly loss: number; readonly alone: number };
  readonly refused: Readonly<Record<string, string | boolean>>;
  readonly samples: readonly { readonly tokens: readonly number[]; readonly logprobs: readonly number[] }[];
  readonly prompt_logprobs: Many;
  readonly topk: readonly (readonly (readonly [number, number])[] | null)[];
  readonly compute_logprobs: Many;
  readonly ephemeral: Many;
  readonly base: Many;
  readonly stops: Readonly<Record<'id' | 'text', readonly [readonly number[], string]>>;
  readonly ended: readonly [readonly number[], string];
  readonly endless: readonly [readonly number[], string];
  readonly custom: { readonly loss: number; readonly squares: number; readonly after: readonly number[] };
  readonly [other: string]: unknown;
};

type Reference = Pick<Saw, 'trained' | 'losses' | 'topk'> & {
  readonly base: readonly number[];
  readonly soft: number;
  readonly samples: readonly (readonly number[])[];
};

/** What is not there, by a word of the answer that names it. */
const REFUSED = {
  publish: 'there is no POST /api/v1/training_runs/',
  unpublish: 'there is no DELETE /api/v1/training_runs/',
  project: '/project here',
  trace: '/trace_export here',
  audit: '/audit here',
  whoami: 'whoami requires JWT auth',
};

/** With SDK 0.38 beside. */
const REFUSED_SINCE = {
  billing: '/billing/usage/events here',
  storage: '/billing/usage/checkpoints/current here',
  search: '/sessions/search here',
  copy: '/copy_weights here',
  copy_own: 'Provide destination_project_id', // by the SDK itself
  external: 'external',
  external_urls: '/external_weights_urls here',
  inflight: 'kind "inflight" is not supported',
  stability: 'record_stability_info: this server has no stable_reinforce',
  target: 'target_prompt_logprobs is not supported',
  alternatives: 'prompt_alt_tokens_k is not supported',
  dimuon: 'optimizer "dimuon" is not supported',
};

describe.each(Object.entries(SDKS))('the official SDK %s', (version, python) => {
  const absent = absence(python, version);
  if (absent !== undefined) process.stderr.write(`skipped: ${absent}\n`);

  describe.skipIf(absent !== undefined)('drives the server', () => {
    const folder = mkdtempSync(join(tmpdir(), 'unrut-sdk-'));
    let server: OurServer;
    let saw: Saw;
    let right: Reference;
    /** What a script prints last. */
    const drive = async (script: string): Promise<string> => {
      const own = { TINKER_BASE_URL: server.url, TINKER_API_KEY: 'tml-x', TINKER_TELEMETRY: '0', HF_HUB_OFFLINE: '1' };
      const words = ['-W', 'ignore', `tests/peers/tinker/${script}`, 'models/organism', folder];
      const { stdout } = await run(python, words, { env: { ...process.env, ...own }, maxBuffer: 2 ** 26 });
      return stdout.trimEnd().split('\n').at(-1)!;
    };
    beforeAll(async () => {
      server = await openOurServer();
      const said = await drive('sdk.py');
      writeFileSync(join(folder, 'saw.json'), said);
      saw = JSON.parse(said);
      const reference = ['tests/peers/tinker/reference.py', 'models/organism', join(folder, 'adapter')];
      right = JSON.parse((await run(TORCH, [...reference, join(folder, 'saw.json')])).stdout);
    });
    afterAll(async () => {
      expect(server.faults).toEqual([]);
      await server.close();
      rmSync(folder, { recursive: true });
    });

    it('gets losses that are sums, of weights of any sign', () => {
      const { one, other, both, twice, negative } = saw.sums;
      for (const [sum, wanted] of [[one + other, both], [2 * one, twice], [-one, negative]]) expect(sum).toBeCloseTo(wanted!, 4);
      expect(saw.chunks.outputs).toBe(1100);
      expect(saw.chunks.loss / saw.chunks.alone).toBeCloseTo(1, 6);
    }); // biome-ignore format: a claim a line

    it('trains, and what it trained is to PyTorch what it is to the server', () => {
      expect(saw.steps[2]).toBeLessThan(0.7 * saw.steps[0]!);
      near(saw.trained, right.trained);
      near(saw.compute_logprobs.slice(1) as number[], right.trained);
      near(saw.base.slice(1) as number[], right.base);
      for (const [name, loss] of Object.entries(saw.losses)) expect(loss, name).toBeCloseTo(right.losses[name]!, 3);
      for (const loss of saw.soft) expect(loss).toBeCloseTo(right.soft, 3);
    });

    it('samples with logprobs of the tempered distribution, and None before the first token', () => {
      saw.samples.forEach(({ logprobs }, at) => {
        near(logprobs, right.samples[at]!);
      });
      expect([saw.prompt_logprobs[0], saw.topk[0], saw.compute_logprobs[0]]).toEqual([null, null, null]);
      near(saw.prompt_logprobs.slice(1) as number[], right.trained.slice(0, 3));
      saw.topk.slice(1).forEach((place, at) => {
        expect(place!.map(([token]) => token)).toEqual(right.topk[at]!.map(([token]) => token));
        near(place!.map(([, value]) => value), right.topk[at]!.map(([, value]) => value));
      });
      const first = saw.samples[0]!.tokens.slice(0, 4);
      expect(saw.stops).toEqual({ id: [first, 'stop'], text: [first, 'stop'] });
      expect([saw.ended[0].at(-1), saw.ended[1]]).toEqual([5, 'stop']);
      expect([saw.endless[0].length, saw.endless[1]]).toEqual([60, 'length']);
    }); // biome-ignore format: a claim a line

    it('finds all else as it should be', () => {
      const held = ['seeded', 'snapshot', 'resumed', 'from_state', 'loaded', 'loaded_with_optimizer', 'listed', 'by_path', 'expires', 'session', 'sessions', 'deleted'];
      expect(held.filter((name) => saw[name] !== true)).toEqual([]);
      expect(saw).toMatchObject({
        version,
        info: { lora_rank: 8, is_lora: true, model_name: 'models/organism' },
        tokenizer: 'ab',
        optim_metrics: ['gradient_norm:mean', 'step:max'],
        run: { lora_rank: 8, base_model: 'models/organism', user_metadata: { renderer_name: 'plain' } },
        weights_info: { base_model: 'models/organism', lora_rank: 8 },
        archive: ['adapter_config.json', 'adapter_model.safetensors'],
        refused: {
          loss: expect.stringContaining('is not supported by this server'),
          optim_after: expect.stringContaining('gradient is not whole'),
          token: expect.stringContaining('ids are 0 to 63'),
          option: expect.stringContaining('"clip" is unknown'),
          unharmed: true,
        },
      });
      expect(saw.custom.squares).toBeCloseTo(right.trained.reduce((sum, value) => sum + value ** 2, 0), 3);
      expect(saw.custom.after).not.toEqual(saw.trained);
    }); // biome-ignore format: a claim a line

    it('makes every other public call, or is refused it by name', async () => {
      const { refused, ...calls } = JSON.parse(await drive('calls.py'));
      const is038 = version === '0.38.0';
      expect(calls).toEqual({
        not_over: expect.stringContaining('there is a checkpoint'),
        expire: [false, true],
        types: ['training', 'sampler'],
        modules: [true, false, false],
        sizes: true,
        pages: true,
        counted: true,
        newest_run: [true],
        ways: Array(is038 ? 5 : 4).fill(true),
        samplers: [true, true, true],
        tokenizer: 'ab',
        goes_on: true,
        left: true,
        ...(is038 && {
          noted: [{ step: '1' }, { step: '1' }],
          top_sampled: [6, true, true, true, true, true, true],
          sampled: true,
          last: true,
          capabilities: true,
          graph: true,
        }),
      });
      const wanted = { ...REFUSED, ...(is038 && REFUSED_SINCE) };
      expect(Object.keys(refused).sort()).toEqual(Object.keys(wanted).sort());
      for (const [name, words] of Object.entries(wanted)) expect(refused[name], name).toContain(words);
    });
  });
});

function near(values: readonly number[], wanted: readonly number[]): void {
  expect(values.length).toBe(wanted.length);
  expect(Math.max(...values.map((value, at) => Math.abs(value - wanted[at]!)))).toBeLessThan(BAR);
}
