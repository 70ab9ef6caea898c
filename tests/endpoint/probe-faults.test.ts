import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { EXIT } from '../../src/cli/exit.ts';
import { readResults } from '../../src/results/results.ts';
import { driveless } from '../probes/running-sum-scripts.ts';
import { temporaryFile } from '../temporary.ts';
import { cli } from './command.ts';
import { scriptServer } from './script-server.ts';
import { type Act, type Seen, StubServer, sendJson } from './stub-server.ts';

/**
 * @file A whole `unrut probe` on a server that goes wrong in the middle. Minutes pass in seconds: a stall of 60 s is one
 * of 1.2 s here.
 */
const TIMES = 50;
vi.mock('../../src/engine/http/clock.ts', async () => {
  const { fasterClock } = await import('./faster-clock.ts');
  return { realClock: fasterClock(50) };
});

let stub: StubServer;
afterEach(() => stub?.stop());

type Fault = (response: ServerResponse) => unknown;

const faults = {
  tooMany: (response) => sendJson(response, 429, { error: { message: 'slow down' } }, { 'retry-after': '20' }),
  broken: (response) => sendJson(response, 500, { error: { message: 'boom' } }),
  truncated: (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' });
    response.write('{"choices": [{"mess');
    setTimeout(() => response.destroy(), 5);
  },
  malformed: (response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices": [{]}'),
  silent: () => undefined,
  closed: (response) => void response.destroy(),
} satisfies Record<string, Fault>;

/** A server that counts what it has answered in full, which is what a provider charges for. */
class Flawed {
  answered = 0;
  #taken = 0;
  readonly #script = scriptServer(driveless);
  /** Which fault a request meets, if any, when so many were taken on before it. */
  fault: (taken: number) => Fault | 'stall' | undefined = () => undefined;

  act: Act = async (seen: Seen, response, nth) => {
    if (seen.path.endsWith('/models')) return this.#script(seen, response, nth);
    const fault = this.fault(this.#taken);
    if (fault !== undefined && fault !== 'stall') return fault(response);
    this.#taken++;
    if (fault === 'stall') await new Promise((resolve) => setTimeout(resolve, 60_000 / TIMES));
    const reply = await this.#script(seen, response, nth);
    if (response.socket?.destroyed !== false) return undefined; // nobody is there any more to be answered
    this.answered++;
    return reply;
  };
}

const words = (url: string, out: string) => [
  ...['probe', `${url}/v1#script`, '--family', 'running-sum', '--quiet', '--out', out],
  ...['--problems', '8', '--behaviours', 'defensiveness'],
];

/** Measured by a server without a flaw: what it answered, and the report. */
async function untouched() {
  const flawless = new Flawed();
  stub = await StubServer.start(flawless.act);
  const out = temporaryFile('untouched');
  expect((await cli(words(stub.url, out))).code).toBe(EXIT.ok);
  await stub.stop();
  return { answered: flawless.answered, report: reportOf(out) };
}

const reportOf = (out: string): string => readFileSync(join(out, 'probes', 'after.json'), 'utf8');

it('faults that pass leave no trace: storms of 429, 500s, torn and malformed bodies, stalls of 60 s', async () => {
  const { answered, report } = await untouched();
  const server = new Flawed();
  const plan = ['tooMany', 'broken', 'truncated', 'malformed', 'closed'] as const;
  let left = 0;
  let next = 0;
  server.fault = (done) => {
    if (done >= 40 && done < 42) return 'stall';
    if (left === 0 && done >= 45 + 8 * next && next < plan.length) [left, next] = [6, next + 1];
    if (left === 0) return undefined;
    left--;
    return faults[plan[next - 1]!];
  };
  stub = await StubServer.start(server.act);
  const out = temporaryFile('mended');
  expect(await cli(words(stub.url, out))).toMatchObject({ code: EXIT.ok, error: '' });
  expect({ next, same: reportOf(out) === report }).toEqual({ next: plan.length, same: true });
  expect(server.answered).toBe(answered);
  const { retries, lost_requests } = (await readResults(join(out, 'results.json'))).run.endpoint!;
  expect(retries).toBeGreaterThanOrEqual(5 * 6 - 6); // a kept connection that was closed is taken anew at once
  expect(lost_requests).toBeGreaterThan(0); // torn and malformed ones may have been charged
});

it('faults that stay end in one line; every resume goes on, and nothing that was answered is asked for again', async () => {
  const { answered, report } = await untouched();
  const server = new Flawed();
  stub = await StubServer.start(server.act);
  const { url } = stub;
  const out = temporaryFile('seven-lives');
  const deaths: readonly [keyof typeof faults | 'killed', RegExp, ...string[]][] = [
    ['broken', /answers 500: boom, 8 times in a row/],
    ['truncated', /the connection broke off.*, 8 times in a row/],
    ['malformed', /the reply is no JSON: \{"choices": \[\{\]\}, 3 times in a row/],
    ['silent', /no answer within 40 s, 8 times in a row/, '--timeout', '40'],
    ['closed', /the connection broke off.*, 8 times in a row/],
    ['tooMany', /too many requests \(429: slow down\), \d+ times in a row/],
    ['killed', /(nothing listens there.*ECONNREFUSED|the connection broke off).*, 8 times in a row/],
  ];
  for (const [at, [fault, line, ...options]] of deaths.entries()) {
    const from = fault === 'silent' ? 0 : 45 + 7 * at; // with so short a time-out nothing is answered at all
    server.fault = (taken) => {
      if (taken < from) return undefined;
      if (fault !== 'killed') return faults[fault];
      void stub.stop();
      return faults.closed;
    };
    const resume = at === 0 ? [] : ['--resume'];
    const { code, error } = await cli([...words(url, out), ...resume, ...options]);
    expect({ fault, code, error }).toEqual({ fault, code: EXIT.error, error: expect.stringMatching(line) });
    expect(error).toMatch(/; every reply so far is kept, go on with --resume\n$/);
    expect(error.trim().split('\n')).toHaveLength(1);
  }
  server.fault = () => undefined;
  stub = await StubServer.start(server.act, Number(new URL(url).port));
  expect(await cli([...words(url, out), '--resume'])).toMatchObject({ code: EXIT.ok, error: '' });
  expect(reportOf(out) === report).toBe(true);
  expect(server.answered).toBe(answered);
});
