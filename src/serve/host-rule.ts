import { isIP } from 'node:net';
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';

/** Where a server listens, and the address by which clients reach it where that is another one. */
export type OwnAddress = { readonly host: string; readonly publicUrl?: URL };

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

/**
 * Whether a request asks for this server by a name of its own. A web page can point a name of its own at this machine
 * (DNS rebinding) and would then be let in by the browser as if it came from here; such a request bears that name.
 * A server that is open to the network is asked for by address as well: an address cannot be pointed elsewhere.
 */
export function isOwnName(context: Context, { host, publicUrl }: OwnAddress): boolean {
  const name = nameAsked(context);
  if (name === undefined) return false;
  if (LOOPBACK.test(name) || name === publicUrl?.hostname) return true;
  return !LOOPBACK.test(host) && (isIP(name) > 0 || name === host.toLowerCase());
}

/** Without port and brackets; undefined where it is no name. */
function nameAsked({ req }: Context): string | undefined {
  const host = req.header('host') ?? new URL(req.url).host; // a request that came over no socket has only the address
  const [, bracketed, plain] = /^(?:\[([\da-f:.]+)\]|([^:/?#@[\]\s]+))(?::\d+)?$/i.exec(host) ?? [];
  return (bracketed ?? plain)?.toLowerCase();
}

/**
 * The server's own address, without a slash at the end. Never taken from the request's headers, which a stranger writes:
 * it is the public one, or the end of the connection that the client reached. Empty where there is no connection.
 */
export function ownUrl({ env }: Context, { publicUrl }: OwnAddress): string {
  if (publicUrl !== undefined) return publicUrl.href.replace(/\/+$/, '');
  const { incoming } = (env ?? {}) as Partial<HttpBindings>; // there where Node's server has taken the request
  if (incoming === undefined) return '';
  const { localAddress = '', localPort } = incoming.socket;
  const address = localAddress.replace(/^::ffff:(?=\d+\.)/, ''); // IPv4 on a socket that takes both
  return `http://${isIP(address) === 6 ? `[${address}]` : address}:${localPort}`;
}
