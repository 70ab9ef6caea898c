import { request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { ChatFormat } from '../../src/chat/chat-format.ts';
import { HeldSampler } from './held-sampler.ts';
import { appOf, online } from './tiny-server.ts';

const format = await ChatFormat.open('models/organism');
const json = { 'content-type': 'application/json' };
const asked = { model: 'organism', prompt: 'UabES', max_tokens: 4 };
const path = '/v1/completions';
const post = (body: object, more: RequestInit = {}) => {
  return { method: 'POST', headers: json, body: JSON.stringify({ ...asked, ...body }), ...more };
};

it('puts what arrives together, or while the engine works, into one call; other ways of drawing into others', async () => {
  const sampler = new HeldSampler();
  const app = appOf(sampler, format);
  const first = app.request(path, post({}));
  await until(() => sampler.calls.length === 1);
  const others = [{ seed: 1 }, { seed: 2, max_tokens: 3 }, { temperature: 0 }, { max_tokens: 100 }, { seed: 3 }];
  const answers = [first, ...others.map((body) => app.request(path, post(body)))];
  await wait(20);
  sampler.release();
  const texts = await Promise.all(answers.map(async (answer) => (await (await answer).json()).choices[0].text));
  expect(texts.map((text) => text.length)).toEqual([4, 4, 3, 4, 100, 4]);
  expect(sampler.calls.map(({ how }) => how.seeds?.length)).toEqual([1, 3, 1, 1]);
  expect(sampler.calls[1]!.how).toMatchObject({ maxTokens: 4, seeds: [1, 2, 3] });
});

it('answers 429 when too many wait, and those that waited all the same', async () => {
  const sampler = new HeldSampler();
  const app = appOf(sampler, format);
  const many = post({ prompt: Array(8).fill('UaES'), n: 128, max_tokens: 1 });
  const first = app.request(path, post({}));
  await until(() => sampler.calls.length === 1);
  const four = Array.from({ length: 4 }, () => app.request(path, many));
  await wait(200);
  expect(await (await app.request('/health')).json()).toEqual({ status: 'ok', waiting: 4096 });
  const fifth = await app.request(path, post({}));
  expect([fifth.status, fifth.headers.get('retry-after')]).toEqual([429, '1']);
  expect((await fifth.json()).error).toMatchObject({ type: 'rate_limit_error', code: 'server_busy' });
  sampler.release();
  const statuses = await Promise.all([first, ...four].map(async (answer) => (await answer).status));
  expect(statuses).toEqual([200, 200, 200, 200, 200]);
});

it('gives the place of a client that hangs up to others', async () => {
  const sampler = new HeldSampler();
  const server = await online(appOf(sampler, format));
  const waiting = async () => (await (await fetch(`${server.url}/health`)).json()).waiting;
  const first = fetch(`${server.url}${path}`, post({}));
  await until(() => sampler.calls.length === 1);
  const hangUp = new AbortController();
  const gone = fetch(`${server.url}${path}`, post({ n: 7 }, { signal: hangUp.signal })).catch(() => 'gone');
  await until(async () => (await waiting()) === 7);
  hangUp.abort();
  await until(async () => (await waiting()) === 0);
  sampler.release();
  expect([(await first).status, await gone, sampler.calls.length]).toEqual([200, 'gone', 1]);
  await server.stop();
});

it('stops when what is in flight is answered, though connections are kept open', async () => {
  const sampler = new HeldSampler();
  const server = await online(appOf(sampler, format));
  const answer = fetch(`${server.url}${path}`, post({}));
  await until(() => sampler.calls.length === 1);
  const stopped = server.stop();
  await expect(fetch(`${server.url}/health`)).rejects.toThrow('fetch failed');
  sampler.release();
  expect((await (await answer).json()).choices[0].text).toBe('aaaa');
  await stopped;
});

it('says in one line that the port is taken', async () => {
  const app = appOf(new HeldSampler(), format);
  const server = await online(app);
  const again = online(app, Number(new URL(server.url).port));
  await expect(again).rejects.toThrow(/^port \d+ of 127.0.0.1 is taken; choose another with --port$/);
  await server.stop();
});

it('wants the key, if it has one, under /v1 alone', async () => {
  const app = appOf(new HeldSampler(false), format, { apiKey: 'a key, of any form' });
  const status = async (authorization?: string) => {
    return (await app.request('/v1/models', authorization === undefined ? {} : { headers: { authorization } })).status;
  };
  expect(await status('Bearer a key, of any form')).toBe(200);
  for (const wrong of [undefined, '', 'Bearer', 'Bearer a key', 'Basic a key, of any form']) {
    expect(await status(wrong)).toBe(401);
  }
  expect((await app.request('/health')).status).toBe(200);
});

it('refuses what is no JSON, another content type, too long a body, and paths that there are not', async () => {
  const app = appOf(new HeldSampler(false), format);
  const refused = async (where: string, how: RequestInit) => {
    const answer = await app.request(where, how);
    return [answer.status, (await answer.json()).error.message];
  };
  expect(await refused(path, post({}, { body: '{' }))).toEqual([400, expect.stringContaining('the body is not JSON')]);
  expect(await refused(path, post({}, { body: '[]' }))).toEqual([400, 'the body must be a JSON object']);
  const plain = post({}, { headers: { 'content-type': 'text/plain' } });
  expect(await refused(path, plain)).toEqual([415, expect.stringContaining('application/json')]);
  expect(await refused(path, post({ prompt: 'a'.repeat(2 ** 20) }))).toEqual([413, expect.any(String)]);
  expect(await refused('/v1/embeddings', post({}))).toEqual([404, 'there is no POST /v1/embeddings here']);
});

it('stops reading a body that goes on and on', async () => {
  const server = await online(appOf(new HeldSampler(false), format));
  const status = await new Promise((resolve, reject) => {
    const endless = request(`${server.url}${path}`, { method: 'POST', headers: json }, (answer) => {
      resolve(answer.statusCode);
      endless.destroy();
    });
    endless.on('error', reject);
    for (let part = 0; part < 40; part++) endless.write('a'.repeat(2 ** 15)); // never ended
  });
  expect(status).toBe(413);
  await server.stop();
});

it('gives a client up that stops in the middle of its body, and bears a slow one', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const server = await online(appOf(new HeldSampler(false), format));
  const body = JSON.stringify(asked);
  const send = async (parts: readonly string[]) => {
    const upload = request(`${server.url}${path}`, {
      method: 'POST',
      headers: { ...json, 'content-length': body.length },
    });
    const status = new Promise((resolve) => upload.on('response', (answer) => resolve(answer.statusCode)));
    for (const part of parts) {
      upload.write(part);
      await new Promise((resolve) => setInterval(resolve, 20).unref()); // not one of the faked
      vi.advanceTimersByTime(29_000);
    }
    vi.advanceTimersByTime(2000);
    return status.finally(() => upload.destroy());
  };
  expect(await send([body.slice(0, 5), body.slice(5)])).toBe(200);
  expect(await send([body.slice(0, 5), ''])).toBe(408);
  vi.useRealTimers();
  await server.stop();
});

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await wait(5);
}
