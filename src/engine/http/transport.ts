import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { decompress, isGzip } from './decompress.ts';

/** A reply as it came, heard out. */
export type Heard = { readonly status: number; readonly headers: Headers; readonly body: Buffer };

/** As `fetch` takes it. */
type Init = Omit<RequestInit, 'body'> & { readonly body?: RequestInit['body'] | Uint8Array };

/** Idle connections that are kept: as many as there are ever requests in flight. */
const KEPT = 512;

/**
 * One request over connections that are kept, its reply heard out to the last byte. Node's own client and not `fetch`:
 * with 256 requests in flight the streams and signals behind `fetch` took more of the processor than all the rest.
 */
export class Transport {
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;

  /** @param keepAlive false opens a connection for every request: none is ever sent twice. */
  constructor(keepAlive = true) {
    this.#http = new HttpAgent({ keepAlive, maxFreeSockets: KEPT });
    this.#https = new HttpsAgent({ keepAlive, maxFreeSockets: KEPT });
  }

  /** Lets go of connections that nothing is sent over. */
  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  /** @param begun gets what breaks the request off, each time it is sent: less work than a signal. */
  async send(url: URL, init: Init, begun?: Begun): Promise<Heard> {
    try {
      return await this.#once(url, init, begun);
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw error;
      return this.send(url, init, begun);
    }
  }

  #once(url: URL, { method, headers, body, signal }: Init, begun: Begun = () => {}): Promise<Heard> {
    const secure = url.protocol === 'https:';
    const options = {
      method: method ?? 'GET',
      headers: Object.fromEntries(headers instanceof Headers ? headers : new Headers(headers)),
      agent: secure ? this.#https : this.#http,
      ...(signal ? { signal } : {}),
    };
    return new Promise((resolve, reject) => {
      const request = (secure ? httpsRequest : httpRequest)(url, options, (response) => {
        hearOut(response, resolve, reject);
      });
      let broken = false;
      begun(() => {
        broken = true;
        request.destroy();
      });
      request.on('error', (error: NodeJS.ErrnoException) => {
        const stale = request.reusedSocket && error.code === 'ECONNRESET' && !signal?.aborted && !broken;
        reject(stale ? new StaleConnection() : error);
      });
      request.end(body ?? undefined);
    });
  }
}

/** The server closed a kept connection just as it was taken again: the request never reached it. */
class StaleConnection extends Error {}

type Begun = (breakOff: () => void) => void;

/** By events: an iterator over the chunks of a small reply takes longer than all else that is done with it. */
function hearOut(response: IncomingMessage, resolve: (heard: Heard) => void, reject: (error: Error) => void): void {
  const chunks: Buffer[] = [];
  response.on('data', (chunk) => chunks.push(chunk));
  response.on('error', reject);
  response.on('end', () => {
    const body = Buffer.concat(chunks);
    const { 'content-encoding': encoding } = response.headers;
    if (encoding === undefined && !isGzip(body)) resolve(heard(response, body));
    else decompress(body, encoding ?? 'gzip').then((plain) => resolve(heard(response, plain)), reject);
  });
}

function heard(response: IncomingMessage, body: Buffer): Heard {
  const status = response.statusCode ?? 0;
  return { status, body, get headers() { return shown(response); } }; // seldom asked for
} // biome-ignore format: one reply

function shown(response: IncomingMessage): Headers {
  const headers = new Headers();
  for (const name of SHOWN) {
    const value = response.headers[name];
    if (typeof value === 'string') headers.set(name, value);
  }
  return headers;
}

/** All that anybody reads of a reply's headers. */
const SHOWN = ['content-type', 'location', 'retry-after', 'retry-after-ms'];
