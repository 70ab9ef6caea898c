import type { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';

/** A body has more bytes than are read. */
export class BodyTooLarge extends Error {
  override name = 'BodyTooLarge';

  constructor(limit: number) {
    super(`the body has more than ${limit} bytes`);
  }
}

/** A client stopped in the middle of its request. */
export class UploadStalled extends Error {
  override name = 'UploadStalled';

  constructor() {
    super(`no more of the body came for ${STALL_MS / 1000} s; send it again`);
  }
}

/** How long a client may pause in the middle of a body. */
const STALL_MS = 30_000;

/**
 * The whole body, whether its length is announced or not. Over a socket it is read from Node's own message: to make a
 * web stream of it took a quarter of a busy server's time.
 * @throws BodyTooLarge as soon as it has more than `limit` bytes; the rest is not read.
 * @throws UploadStalled where nothing comes for half a minute.
 */
export async function readLimited({ req, env }: Context, limit: number): Promise<Uint8Array> {
  if (Number(req.header('content-length')) > limit) throw new BodyTooLarge(limit);
  const { incoming } = (env ?? {}) as Partial<HttpBindings>; // there where Node's server has taken the request
  return incoming === undefined ? readStream(req.raw, limit) : readMessage(incoming as IncomingMessage, limit);
}

async function readStream(request: Request, limit: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of request.body ?? []) {
    size += part.length;
    if (size > limit) throw new BodyTooLarge(limit);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

async function readMessage(message: IncomingMessage, limit: number): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let size = 0;
  let stalled: NodeJS.Timeout | undefined;
  let take = (_part: Buffer) => {};
  try {
    return await new Promise((resolve, reject) => {
      stalled = setTimeout(() => reject(new UploadStalled()), STALL_MS);
      take = (part) => {
        stalled?.refresh();
        size += part.length;
        parts.push(part);
        if (size > limit) reject(new BodyTooLarge(limit));
      };
      message.on('data', take);
      message.once('end', () => resolve(Buffer.concat(parts)));
      message.once('error', reject);
      message.once('close', () => {
        if (!message.complete) reject(new Error('the client went away in the middle of its request'));
      });
    });
  } finally {
    clearTimeout(stalled);
    message.off('data', take).pause(); // the rest is not read
  }
}
