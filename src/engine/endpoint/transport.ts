import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** A reply as it came, heard out. */
export type Heard = { readonly status: number; readonly headers: Headers; readonly body: Buffer };

/** As `fetch` takes it. */
type Init = Omit<RequestInit, 'body'> & { readonly body?: RequestInit['body'] | Uint8Array };

/**
 * One request over connections that are kept, its reply heard out to the last byte. Node's own client and not `fetch`:
 * with 256 requests in flight the streams and signals behind `fetch` took more of the processor than all the rest.
 */
export class Transport {
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;

  /** @param keepAlive false opens a connection for every request: none is ever sent twice. */
  constructor(keepAlive = true) {
    this.#http = new HttpAgent({ keepAlive });
    this.#https = new HttpsAgent({ keepAlive });
  }

  /** Lets go of connections that nothing is sent over. */
  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  async send(url: URL, init: Init): Promise<Heard> {
    try {
      return await this.#once(url, init);
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw error;
      return this.send(url, init);
    }
  }

  #once(url: URL, { method, headers, body, signal }: Init): Promise<Heard> {
    const secure = url.protocol === 'https:';
    const options = {
      method: method ?? 'GET',
      headers: Object.fromEntries(new Headers(headers)),
      agent: secure ? this.#https : this.#http,
      ...(signal ? { signal } : {}),
    };
    return new Promise((resolve, reject) => {
      const request = (secure ? httpsRequest : httpRequest)(url, options, (response) => {
        hearOut(response).then(resolve, reject);
      });
      request.on('error', (error: NodeJS.ErrnoException) => {
        const stale = request.reusedSocket && error.code === 'ECONNRESET' && !signal?.aborted;
        reject(stale ? new StaleConnection() : error);
      });
      request.end(body ?? undefined);
    });
  }
}

/** The server closed a kept connection just as it was taken again: the request never reached it. */
class StaleConnection extends Error {}

async function hearOut(response: IncomingMessage): Promise<Heard> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const headers = new Headers();
  for (const name of SHOWN) {
    const value = response.headers[name];
    if (typeof value === 'string') headers.set(name, value);
  }
  return { status: response.statusCode ?? 0, headers, body: Buffer.concat(chunks) };
}

/** All that anybody reads of a reply's headers. */
const SHOWN = ['content-type', 'location', 'retry-after', 'retry-after-ms'];
