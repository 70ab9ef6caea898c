import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { lookUp } from '../../look-up.ts';
import { Failure } from './failure.ts';

/** A few kilobytes can unpack to more than there is memory. */
const MOST_BYTES = 2 ** 30;

type Decompress = (body: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>;

const DECODERS: Readonly<Record<string, Decompress>> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
  identity: async (body) => body,
};

/** Some servers compress and do not say so. Neither JSON nor protobuf nor an archive begins so. */
export const isGzip = (body: Buffer): boolean => body[0] === 0x1f && body[1] === 0x8b;

/**
 * A body as it was before the server, or a proxy on the way, compressed it, asked or not.
 * @param encoding the `Content-Encoding` header: several are undone from the last to the first.
 * @throws Failure where it is damaged, unpacks to more than 1 GiB, or the encoding is not known.
 */
export async function decompress(body: Buffer, encoding: string): Promise<Buffer> {
  let plain = body;
  for (const name of encoding.toLowerCase().split(',').reverse()) plain = await undo(plain, name.trim());
  return plain;
}

async function undo(body: Buffer, name: string): Promise<Buffer> {
  const decoder = lookUp(DECODERS, name);
  if (decoder === undefined) throw new Failure('malformed', `the reply is compressed as ${name}, which is not known`);
  try {
    return await decoder(body, { maxOutputLength: MOST_BYTES });
  } catch (error) {
    throw new Failure('malformed', `the reply is no ${name} (${(error as Error).message})`);
  }
}
