import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { InputError } from '../errors.ts';

/**
 * How long a client may take to send its headers, and its whole request: 64 MiB take ten minutes at 1 Mbit/s. One that
 * stops in the middle is let go earlier, by `readLimited`.
 */
const HEADERS_MS = 10_000;
const REQUEST_MS = 600_000;

/** An idle connection is kept longer than clients keep theirs, so that none is used just as it closes. */
const KEEP_ALIVE_MS = 75_000;

const CONNECTIONS = 2048;

/** How long a stop waits for what is in flight. */
const GRACE_MS = 30_000;

/** How often a stop looks for connections that have become idle. */
const IDLE_LOOK_MS = 50;

export type Address = { readonly host: string; readonly port: number };

export type HttpServer = {
  /** `http://127.0.0.1:8000` */
  readonly url: string;
  /** Takes no more connections, lets what is in flight finish, and closes. */
  stop(): Promise<void>;
};

/** @throws InputError where the address is taken or not this machine's. */
export async function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  { host, port }: Address,
): Promise<HttpServer> {
  const serverOptions = { headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS, keepAliveTimeout: KEEP_ALIVE_MS };
  const options = { fetch, createServer, serverOptions, overrideGlobalObjects: false };
  const server = createAdaptorServer(options) as Server; // what createServer makes
  server.maxConnections = CONNECTIONS;
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw refusal(error as NodeJS.ErrnoException, { host, port }); // listen emits nothing else
  }
  return { url: urlOf(server.address() as AddressInfo), stop: () => stop(server) }; // not a pipe
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

function refusal({ code, message }: NodeJS.ErrnoException, { host, port }: Address): InputError {
  if (code === 'EADDRINUSE') return new InputError(`port ${port} of ${host} is taken; choose another with --port`);
  return new InputError(`cannot listen on ${host}, port ${port}: ${message}; choose others with --host and --port`);
}

async function stop(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS);
  const late = setTimeout(() => server.closeAllConnections(), GRACE_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(late);
}
