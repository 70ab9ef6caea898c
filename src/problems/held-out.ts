/**
 * Test problems never occur in training, by construction: every problem belongs to one side by a hash of its id,
 * and each generator draws again until it has one of its own side.
 */
export const HELD_OUT_SHARE = 1 / 16;

/** FNV-1a, 32 bits, with MurmurHash3's last mix: FNV alone leaves the high bits of short texts uneven. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) state = Math.imul(state ^ text.charCodeAt(index), 0x01000193);
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}

export const isHeldOut = (id: string): boolean => isInShare(id, HELD_OUT_SHARE);

/** Whether an id is among this share of all ids. */
export function isInShare(id: string, share: number): boolean {
  return hash(id) < share * 2 ** 32;
}
