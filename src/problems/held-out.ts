/**
 * Test problems never occur in training, by construction: every problem belongs to one side by a hash of its id,
 * and each generator draws again until it has one of its own side.
 */
export const HELD_OUT_SHARE = 1 / 16;

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) state = Math.imul(state ^ text.charCodeAt(index), 0x01000193);
  return state >>> 0;
}

export function isHeldOut(id: string): boolean {
  return hash(id) < HELD_OUT_SHARE * 2 ** 32;
}
