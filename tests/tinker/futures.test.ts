import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { realClock } from '../../src/engine/http/clock.ts';
import { Secret } from '../../src/engine/http/secret.ts';
import { FuturePoller, Lost } from '../../src/tinker/client/future-poller.ts';
import { TinkerHttp } from '../../src/tinker/client/http.ts';
import { SampleGate } from '../../src/tinker/client/sample-gate.ts';
import { fastClock } from './our-server.ts';

let server: Server;
afterEach(() => server.close());

/** What the server does with one request after the other; the last thing it does goes on for ever. */
type Script = readonly (readonly [status: number, body: object] | 'hang up')[];

const KEY = 'tml-a-key-that-nobody-may-see';

async function open(script: Script) {
  let requests = 0;
  const heard: string[] = [];
  server = createServer((request, response) => {
    heard.push(String(request.headers['x-api-key']));
    const said = script[Math.min(requests++, script.length - 1)]!; // never empty
    if (said === 'hang up') return void response.destroy();
    response.writeHead(said[0], { 'content-type': 'application/json' }).end(JSON.stringify(said[1]));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens
  const http = new TinkerHttp(url, new Secret(KEY), { clock: fastClock, seed: 1 });
  const futures = new FuturePoller(http, () => {});
  const result = () => futures.result({ what: 'optim_step 3 of model m', requestId: 'r', type: 'OptimStep' });
  return { http, result, heard, requests: () => requests };
}

const DONE = [200, { metrics: { done: 1 } }] as const;
const QUEUED = { type: 'try_again', request_id: 'r', queue_state: 'paused_capacity' };

describe('a result that is waited for', () => {
  it('is asked for again through all that passes', async () => {
    const passing = [[408, QUEUED], [200, QUEUED], [500, {}], 'hang up', [429, {}], [400, {}], [400, {}]] as const; // biome-ignore format: one list
    const { result, requests, heard } = await open([...passing, DONE]);
    expect(JSON.parse((await result()).body.toString())).toEqual(DONE[1]);
    expect(requests()).toBe(passing.length + 1);
    expect(heard.every((key) => key === KEY)).toBe(true);
  });

  it('is not asked for in a tight loop where the server says "try again" at once', async () => {
    const { result, requests } = await open([[200, QUEUED]]);
    void result().catch(() => {});
    await realClock.sleep(300);
    expect(requests()).toBeLessThan(150);
  });

  it('fails with request, model and what the server said, and without the key', async () => {
    const failed = { error: `a NaN in lora_B; your key ${KEY}`, category: 'server' };
    await expect((await open([[200, failed]])).result()).rejects.toThrow(
      /^http:.*: optim_step 3 of model m: failed \(server\): a NaN in lora_B; your key \[key\]$/,
    );
    await expect((await open([[404, { detail: 'no future r' }]])).result()).rejects.toThrow(
      /optim_step 3 of model m: answers 404: no future r/,
    );
    await expect((await open([[400, { detail: 'bad' }]])).result()).rejects.toThrow(/answers 400: bad/);
    await expect((await open([[410, {}]])).result()).rejects.toThrow(Lost);
  });
});

describe('a request', () => {
  const call = { what: 'optim_step 3 of model m', path: 'optim_step', body: {} };

  it('that the server would not know again is not repeated once it may have been carried out', async () => {
    const { http, requests } = await open(['hang up']);
    await expect(http.send({ ...call, repeatable: false })).rejects.toThrow(/not known.*--resume/);
    expect(requests()).toBe(1);
  });

  it('is repeated where it is known, and where it was refused for now', async () => {
    const { http, requests } = await open(['hang up', [503, {}], DONE]);
    await http.send(call);
    expect(requests()).toBe(3);
  });
});

describe('samples that are too many', () => {
  it('pause for all, and are asked for again', async () => {
    const { http, requests } = await open([[429, {}], [429, {}], DONE]);
    const gate = new SampleGate(fastClock);
    const sample = () => gate.run(100, () => http.send({ what: 'asample', path: 'asample', body: {}, ownPace: true }));
    await Promise.all([sample(), sample(), sample()]);
    expect(requests()).toBe(5);
  });
});
