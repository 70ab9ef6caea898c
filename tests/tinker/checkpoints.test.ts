import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { runCli } from '../../src/cli/program.ts';
import { realClock } from '../../src/engine/http/clock.ts';
import { Secret } from '../../src/engine/http/secret.ts';
import { readPeftFolder } from '../../src/engine/local/files/peft-folder.ts';
import { type HttpServer, listen } from '../../src/serve/http-server.ts';
import { listCheckpoints } from '../../src/tinker/client/checkpoints.ts';
import { TinkerHttp } from '../../src/tinker/client/http.ts';
import { type OurServer, openOurClient, openOurServer } from './our-server.ts';

const box = mkdtempSync(join(tmpdir(), 'unrut-checkpoints-'));
let server: OurServer;
/** What a run left: a state and weights to sample from. */
let state: string;
let sampler: string;

beforeAll(async () => {
  server = await openOurServer();
  const { policy } = await openOurClient(server.url, server);
  await policy.save(join(box, 'state'));
  await policy.download(join(box, 'adapter'));
  await policy.close();
  state = JSON.parse(readFileSync(join(box, 'state/tinker.json'), 'utf8')).path;
  const there = await (await fetch(`${server.url}/api/v1/checkpoints`)).json();
  sampler = there.checkpoints.map((one: { tinker_path: string }) => one.tinker_path).find((one: string) => one !== state);
}); // biome-ignore format: one thought
afterAll(async () => {
  expect(server.faults).toEqual([]);
  await server.close();
  rmSync(box, { recursive: true });
});

beforeEach(() => vi.stubEnv('TINKER_API_KEY', 'tml-a-key-that-nobody-may-see'));
afterEach(() => void vi.unstubAllEnvs());

/** The command line in this process. */
async function unrut(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const said = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      said[name] += text;
      return true;
    }),
  );
  try {
    const code = await runCli(['checkpoints', ...words], () => Promise.reject(new Error('lists without an engine')));
    return { code, ...said };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** The one line that a mistake is answered with. */
async function refusal(url: string, ...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await unrut(...words, '--base-url', url);
  expect({ code, stdout, lines: stderr.split('\n').length }).toEqual({ code: 1, stdout: '', lines: 2 });
  expect(stderr).not.toContain('tml-a-key');
  return stderr.trimEnd();
}

const list = async () => JSON.parse((await unrut('--base-url', server.url, '--json')).stdout);

describe('unrut checkpoints', () => {
  it('lists what is kept, for people and for programs', async () => {
    const words = ['--import', 'tsx', 'src/cli/main.ts', 'checkpoints', '--base-url', server.url];
    const { stdout } = await promisify(execFile)(process.execPath, words);
    for (const part of [state, sampler, 'training', 'sampler', '2 kept', ' MB']) expect(stdout).toContain(part);
    expect(await list()).toEqual([
      { path: sampler, kind: 'sampler', time: expect.stringMatching(/^\d{4}-/), size_bytes: expect.any(Number), expires_at: null },
      { path: state, kind: 'training', time: expect.stringMatching(/^\d{4}-/), size_bytes: expect.any(Number), expires_at: null },
    ]);
  }); // biome-ignore format: a checkpoint a line

  it('downloads an adapter by a path with and without its kind, and that of a state as well', async () => {
    const wanted = readFileSync(join(box, 'adapter/adapter_model.safetensors'));
    const short = sampler.replace('/sampler_weights', '');
    for (const [at, path] of [sampler, short, state].entries()) {
      const out = join(box, `download-${at}`);
      expect(await unrut('download', path, '--out', out, '--base-url', server.url)).toMatchObject({ code: 0, stderr: '' });
      expect(readFileSync(join(out, 'adapter_model.safetensors')).equals(wanted)).toBe(true);
      await readPeftFolder(out, server.weights);
    }
    const { stdout } = await unrut('download', short, '--out', join(box, 'json'), '--base-url', server.url, '--json');
    expect(JSON.parse(stdout)).toEqual({ path: sampler, folder: join(box, 'json') });
  }); // biome-ignore format: one thought

  it('deletes one checkpoint, and no other', async () => {
    const { policy } = await openOurClient(server.url, server);
    await policy.save(join(box, 'other'));
    await policy.close();
    const { path } = JSON.parse(readFileSync(join(box, 'other/tinker.json'), 'utf8'));
    expect(await unrut('delete', path, '--base-url', server.url)).toMatchObject({ code: 0, stdout: `${path} is deleted\n` });
    expect((await list()).map((one: { path: string }) => one.path)).toEqual([sampler, state]);
    expect(await refusal(server.url, 'delete', path)).toMatch(/there is no such checkpoint|answers 404/);
  }); // biome-ignore format: one thought

  it('says of a path, a folder and an address that will not do which it is', async () => {
    const { url } = server;
    for (const wrong of ['file:///etc/passwd', 'tinker://a', 'tinker://a/weights/..', 'tinker://a/else/b']) {
      expect(await refusal(url, 'delete', wrong)).toMatch(/^unrut: ".*" is no path of the form tinker:/);
    }
    const gone = sampler.replace(/[^/]+$/, 'gone');
    const none = `unrut: ${url}: ${gone}: there is no such checkpoint; \`unrut checkpoints\` lists those there are`;
    for (const words of [['download', gone, '--out', join(box, 'none')], ['delete', gone]]) expect(await refusal(url, ...words)).toBe(none);
    expect(existsSync(join(box, 'none'))).toBe(false);
    expect(await refusal(url, 'delete', 'tinker://nobody/weights/a')).toMatch(/answers 404: there is no checkpoint/);
    expect(await refusal(url, 'delete', 'tinker://nobody/a')).toMatch(/answers 404: there is no training run "nobody"/);
    writeFileSync(join(box, 'file'), 'mine');
    for (const out of ['file', 'adapter']) expect(await refusal(url, 'download', sampler, '--out', join(box, out))).toMatch(/already holds something/);
    expect(readFileSync(join(box, 'file'), 'utf8')).toBe('mine');
    expect(await refusal('nowhere')).toBe('unrut: checkpoints: give the address of the service with --base-url http://HOST:PORT');
    expect(await refusal('http://127.0.0.1:9')).toMatch(/nothing listens there; start the server/);
    expect(await refusal(url, '--key-env', 'UNSET_KEY')).toMatch(/--key-env: no variable of that name is set/);
  }); // biome-ignore format: a claim a line
});

describe('other services', () => {
  let other: HttpServer;
  let answer: (path: string, request: Request) => Response;
  beforeAll(async () => {
    other = await listen(async (request) => answer(request.url.split('/api/v1/')[1]!, request), { host: '127.0.0.1', port: 0 });
  }); // biome-ignore format: one thought
  afterAll(() => other.stop());

  const none = () => Response.json({ detail: 'Not Found' }, { status: 404 });
  const kept = (run: string, name: string, checkpoint_type = 'training') => {
    const tinker_path = `tinker://${run}/${checkpoint_type === 'sampler' ? 'sampler_weights' : 'weights'}/${name}`;
    return { checkpoint_id: name, checkpoint_type, tinker_path, time: `2026-11-25T08:0${name.length}:00` };
  };
  const paths = async () => {
    const http = new TinkerHttp(other.url, new Secret(undefined), { clock: realClock, seed: 0 });
    return (await listCheckpoints(http).finally(() => http.close())).map(({ path }) => path);
  };

  it('that cut their list are asked for the rest, and nothing twice', async () => {
    const all = Array.from({ length: 5 }, (_, at) => kept('r', 'x'.repeat(at + 1)));
    answer = (path) => {
      const offset = Number(/offset=(\d+)/.exec(path)![1]);
      const page = all.slice(Math.max(0, offset - 1), offset + 2); // one was saved meanwhile
      return Response.json({ checkpoints: page, cursor: { offset, limit: 2, total_count: 6 } });
    };
    expect(await paths()).toEqual(all.map((one) => one.tinker_path).reverse());
  });

  it('that list by run alone are asked run by run', async () => {
    answer = (path) => {
      if (path.startsWith('training_runs?')) {
        const runs = ['a', 'b'].map((id) => ({ training_run_id: id, base_model: 'm', is_lora: true }));
        return Response.json({ training_runs: runs });
      }
      const [, run] = /^training_runs\/(\w)\/checkpoints$/.exec(path) ?? [];
      return run ? Response.json({ checkpoints: [kept(run, run === 'a' ? 'one' : 'three')] }) : none();
    };
    expect(await paths()).toEqual(['tinker://b/weights/three', 'tinker://a/weights/one']);
    const { stdout } = await unrut('--base-url', other.url);
    expect(stdout).toMatch(/tinker:\/\/b\/weights\/three.*training.*\?.*2026-11-25 08:05/);
  });

  it('that lack a call, or want another key, are told apart from a checkpoint that is not there', async () => {
    answer = none;
    expect(await refusal(other.url)).toBe(
      `unrut: ${other.url}: checkpoints: this service has no such call, and lists no training runs either`,
    );
    expect(await refusal(other.url, 'delete', 'tinker://r/weights/a')).toMatch(/delete .*: answers 404: Not Found/);
    answer = (path) => (path === 'training_runs/r/checkpoints' ? Response.json({ checkpoints: [kept('r', 'a'), kept('r', 'b'), kept('r', 'b', 'sampler')] }) : none());
    for (const [call, ...words] of [['DELETE', 'delete', 'tinker://r/a'], ['GET …/archive', 'download', 'tinker://r/weights/a', '--out', join(box, 'lacking')]]) {
      expect(await refusal(other.url, ...words)).toBe(`unrut: ${other.url}: tinker://r/weights/a: is there, but this service has no ${call} for it (answers 404)`);
    }
    expect(await refusal(other.url, 'delete', 'tinker://r/b')).toMatch(/there are tinker:\/\/r\/weights\/b and tinker:\/\/r\/sampler_weights\/b; say which/);
    answer = (_, { headers }) => Response.json({ detail: `${headers.get('x-api-key')} is unknown` }, { status: 401 });
    expect(await refusal(other.url)).toMatch(/answers 401: \[key\] is unknown; put the right one into TINKER_API_KEY/);
    answer = () => new Response('<!doctype html><p>hello');
    expect(await refusal(other.url)).toMatch(/answers what the protocol does not know: a web page/);
  }); // biome-ignore format: a claim a line
});
