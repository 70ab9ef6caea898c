import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export const COMMIT = 'c0ffee'.padEnd(40, '0');

export type Asked = { readonly path: string; readonly token: string | undefined; readonly range: string | undefined };

/** What goes wrong. */
export type Faults = {
  /** Every answer of the hub is this one. */
  refusal?: { status: number; code?: string };
  /** One entry a content: it breaks off behind so many bytes, or comes whole. */
  cuts: (number | undefined)[];
  /** Contents have one byte changed. */
  damage: boolean;
  /** The second page of the list of files is on the other origin. */
  pageElsewhere: boolean;
};

/**
 * A hub with one model, `acme/tiny`, whose contents lie on another origin, as the real one's do: what a folder holds and
 * some files that nobody needs. Digests are those of git and of git-lfs.
 */
export class StubHub {
  readonly asked: Asked[] = [];
  readonly faults: Faults = { cuts: [], damage: false, pageElsewhere: false };
  readonly #files: ReadonlyMap<string, Buffer>;
  readonly #hub = createServer((request, response) => this.#answer(request, response));
  readonly #store = createServer((request, response) => this.#content(request, response));

  private constructor(folder: string) {
    const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
    this.#files = new Map<string, Buffer>([
      ...files.map(({ name }) => [name, readFileSync(join(folder, name))] as const),
      ['README.md', Buffer.from('# tiny')],
      ['pytorch_model.bin', Buffer.from('pickle')],
    ]);
  }

  static async open(folder: string): Promise<StubHub> {
    const stub = new StubHub(folder);
    await Promise.all([stub.#hub, stub.#store].map(listening));
    return stub;
  }

  get url(): string {
    return urlOf(this.#hub);
  }

  /** Paths of the contents that were asked for. */
  get fetched(): string[] {
    return this.asked.filter(({ path }) => path.startsWith('/store/')).map(({ path }) => path.slice('/store/'.length));
  }

  async close(): Promise<void> {
    for (const server of [this.#hub, this.#store]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  #note({ url = '', headers }: IncomingMessage): string {
    const path = decodeURIComponent(url.split('?')[0] ?? '');
    this.asked.push({ path, token: headers.authorization, range: headers.range });
    return path;
  }

  #answer(request: IncomingMessage, response: ServerResponse): ServerResponse {
    const path = this.#note(request);
    const { refusal } = this.faults;
    if (refusal !== undefined) return refuse(response, refusal.status, refusal.code);
    if (/^\/api\/models\/acme\/tiny\/revision\/(main|v1)$/.test(path)) {
      return json(response, { _id: 'x', id: 'acme/tiny', sha: COMMIT, lastModified: '2026-01-01' });
    }
    if (path.startsWith('/api/models/acme/tiny/revision/')) return refuse(response, 404, 'RevisionNotFound');
    if (path === `/api/models/acme/tiny/tree/${COMMIT}`) return this.#list(response);
    const [, file] = /^\/acme\/tiny\/resolve\/(?:main|c0ffee0+)\/(.+)$/.exec(path) ?? [];
    const content = this.#files.get(file ?? '');
    if (file === undefined || content === undefined) return refuse(response, 404, 'RepoNotFound');
    return response
      .writeHead(302, { ...aboutOf(file, content), location: `${urlOf(this.#store)}/store/${file}` })
      .end();
  }

  #list(response: ServerResponse): ServerResponse {
    if (!this.faults.pageElsewhere) return json(response, this.#listing());
    response.setHeader('link', `<${urlOf(this.#store)}/page>; rel="next"`);
    return json(response, this.#listing().slice(0, 1));
  }

  #listing(): unknown[] {
    const files = [...this.#files].map(([path, content]) => {
      const size = content.length;
      if (!isLarge(path)) return { type: 'file', path, size, oid: digestOf(path, content) };
      return { type: 'file', path, size, oid: COMMIT, lfs: { oid: digestOf(path, content), size, pointerSize: 130 } };
    });
    return [...files, { type: 'directory', path: 'onnx', size: 0, oid: COMMIT }];
  }

  #content(request: IncomingMessage, response: ServerResponse): void {
    const path = this.#note(request);
    if (path === '/page') {
      json(response, this.#listing().slice(1));
      return;
    }
    const whole = Buffer.from(this.#files.get(path.slice('/store/'.length)) ?? '');
    if (this.faults.damage) whole[whole.length - 1] = (whole.at(-1) ?? 0) ^ 1;
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const content = whole.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, { ...aboutOf(path, whole), 'content-length': content.length });
    const cut = this.faults.cuts.shift();
    if (cut === undefined) response.end(content);
    else response.write(content.subarray(0, cut), () => setTimeout(() => response.destroy(), 20));
  }
}

/** What Python reads of a file before it fetches it. */
const aboutOf = (path: string, content: Buffer) => ({
  'x-repo-commit': COMMIT,
  'x-linked-etag': `"${digestOf(path, content)}"`,
  'x-linked-size': content.length,
});

const isLarge = (path: string): boolean => /safetensors$|bin$/.test(path);

/** As git-lfs has it for a large file, and git for a small one. */
function digestOf(path: string, content: Buffer): string {
  if (isLarge(path)) return createHash('sha256').update(content).digest('hex');
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}

const listening = (server: Server): Promise<void> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve()));

const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens

const json = (response: ServerResponse, body: unknown): ServerResponse =>
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));

function refuse(response: ServerResponse, status: number, code = ''): ServerResponse {
  response.writeHead(status, { 'content-type': 'application/json', 'x-error-code': code });
  return response.end(JSON.stringify({ error: 'refused' }));
}
