/** A body has more bytes than are read. */
export class BodyTooLarge extends Error {
  override name = 'BodyTooLarge';

  constructor(limit: number) {
    super(`the body has more than ${limit} bytes`);
  }
}

/**
 * The whole body, whether its length is announced or not.
 * @throws BodyTooLarge as soon as it has more than `limit` bytes; the rest is not read.
 */
export async function readLimited(request: Request, limit: number): Promise<Uint8Array> {
  if (Number(request.headers.get('content-length')) > limit) throw new BodyTooLarge(limit);
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of request.body ?? []) {
    size += part.length;
    if (size > limit) throw new BodyTooLarge(limit);
    parts.push(part);
  }
  return Buffer.concat(parts);
}
