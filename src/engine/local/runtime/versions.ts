/** One version of some parameters in a worker's memory. */
export type Version = { readonly id: number; readonly bytes: number };

/** Beside what the request at hand needs a worker keeps this many bytes, and in all this many versions. */
const KEPT_BYTES = 2 ** 28;
const KEPT = 4;

/**
 * The versions that stay when some are needed, the most recently used first. The pool and its workers both ask this, so
 * that they agree.
 * @param known most recently used first.
 */
export function keptVersions(known: readonly Version[], needed: readonly Version[]): Version[] {
  const kept = [...needed];
  let bytes = 0;
  for (const version of known.filter(({ id }) => needed.every((each) => each.id !== id))) {
    bytes += version.bytes;
    if (kept.length >= KEPT || bytes > KEPT_BYTES) break;
    kept.push(version);
  }
  return kept;
}
