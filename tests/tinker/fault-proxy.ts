import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Stream, stream } from '../../src/random.ts';

/** What may become of a request, by share. `late` lets later requests overtake. */
export type Faults = Readonly<
  Record<
    'none' | 'late' | 'twice' | 'lostBefore' | 'lostBehind' | 'timeout' | 'busy' | 'broken' | 'brokenBehind',
    number
  >
>;

export const EVERY_FAULT: Faults = {
  none: 10,
  late: 3,
  twice: 2,
  lostBefore: 1,
  lostBehind: 2,
  timeout: 1,
  busy: 1,
  broken: 1,
  brokenBehind: 1,
};

type Answer = { readonly status: number; readonly headers: IncomingMessage['headers']; readonly body: Buffer };

/**
 * Stands between a client and a server and does to requests and answers what networks and proxies do: seeded, so that a
 * failure can be had again. "Behind" means that the server has carried out what the client hears nothing of.
 */
export class FaultProxy {
  readonly #target: URL;
  readonly #faults: Faults;
  readonly #draws: Stream;
  readonly #server: Server;
  readonly counts: Record<string, number> = {};

  private constructor(target: string, faults: Faults, seed: number) {
    this.#target = new URL(target);
    this.#faults = faults;
    this.#draws = stream(seed, 'faults');
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  static async open(target: string, faults: Faults, seed: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, faults, seed);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`; // it listens
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const fault = this.#draws.weighted(this.#faults);
    this.counts[fault] = (this.counts[fault] ?? 0) + 1;
    const milliseconds = this.#draws.integer(60);
    const ask = () => this.#ask(request, body);
    try {
      if (fault === 'late') await sleep(milliseconds);
      if (fault === 'lostBefore') return void response.destroy();
      if (fault === 'timeout') return refuse(response, 408);
      if (fault === 'busy') return refuse(response, 429);
      if (fault === 'broken') return refuse(response, 503);
      const [answer] = await Promise.all(fault === 'twice' ? [ask(), ask()] : [ask()]);
      if (fault === 'lostBehind') return void response.destroy();
      if (fault === 'brokenBehind') return refuse(response, 502);
      response.writeHead(answer!.status, answer!.headers).end(answer!.body); // one was asked for
    } catch {
      response.destroy();
    }
  }

  async #ask({ method, url, headers }: IncomingMessage, body: Buffer): Promise<Answer> {
    const { hostname, port } = this.#target;
    const asked = httpRequest({ hostname, port, method, path: url, headers });
    asked.end(body);
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    const { connection: _one, 'transfer-encoding': _other, ...passed } = answer.headers;
    return { status: answer.statusCode ?? 0, headers: passed, body: await buffer(answer) };
  }
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end('{"detail":"a fault of the test"}');
}
