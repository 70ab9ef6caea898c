import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether an Authorization header bears the key. Takes the same time however much of it is right. */
export function bearsKey(header: string | undefined, key: string): boolean {
  const [, given = ''] = /^Bearer +(.*)$/i.exec(header ?? '') ?? [];
  return isKey(given, key);
}

export const isKey = (given: string, key: string): boolean => timingSafeEqual(digest(given), digest(key));

/** Digests are of one length, which the comparison needs and the key need not have. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
