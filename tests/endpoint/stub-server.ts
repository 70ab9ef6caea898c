import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as a stub sees it. */
export type Seen = { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: StubBody };

export type StubMessage = { readonly role: string; readonly content: string; readonly prefix?: boolean };

export type StubBody = {
  readonly model?: string;
  readonly messages?: readonly StubMessage[];
  readonly prompt?: string;
  readonly seed?: number;
  readonly n?: number;
  readonly temperature?: number;
  readonly max_tokens?: number;
  readonly stop?: readonly string[];
  readonly logprobs?: boolean | number;
  readonly echo?: boolean;
  readonly prompt_logprobs?: number;
  readonly continue_final_message?: boolean;
};

/** What a stub says: a JSON body, or anything else that it writes itself. */
export type Act = (seen: Seen, response: ServerResponse, nth: number) => unknown;

/** A server on this machine that behaves as a test tells it to, and remembers what it was asked. */
export class StubServer {
  readonly url: string;
  readonly seen: Seen[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on TCP
  }

  static async start(act: Act, port = 0): Promise<StubServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const stub = new StubServer(server);
    server.on('request', (request, response) => stub.#answer(request, response, act));
    return stub;
  }

  /** Requests for replies; lists of models left out. */
  get asked(): Seen[] {
    return this.seen.filter(({ path }) => !path.endsWith('/models'));
  }

  async #answer(request: IncomingMessage, response: ServerResponse, act: Act): Promise<void> {
    let text = '';
    for await (const chunk of request) text += chunk;
    const seen: Seen = { path: request.url!, headers: request.headers, body: text === '' ? {} : JSON.parse(text) };
    this.seen.push(seen);
    const json = await act(seen, response, this.asked.length);
    if (json !== undefined) sendJson(response, 200, json);
  }

  /** As a process does that is killed: open connections break off. */
  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve)); // once more is no harm
  }
}

export function sendJson(
  response: ServerResponse,
  status: number,
  json: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(json));
}

export const modelList = (...ids: string[]) => ({ object: 'list', data: ids.map((id) => ({ id, object: 'model' })) });

export function chatReply(...texts: string[]) {
  return {
    id: 'stub',
    object: 'chat.completion',
    choices: texts.map((content, index) => ({
      index,
      message: { role: 'assistant', content },
      finish_reason: 'stop',
    })),
    usage: { prompt_tokens: 10, completion_tokens: texts.length * 5 },
  };
}

/** Lists one model and leaves the rest to `act`. */
export function withModels(act: Act, ...ids: string[]): Act {
  return (seen, response, nth) => (seen.path.endsWith('/models') ? modelList(...ids) : act(seen, response, nth));
}
