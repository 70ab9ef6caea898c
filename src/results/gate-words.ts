/** What of the competence gate is put into words. */
export type GateCounts = {
  readonly drawn: number;
  readonly passed: number;
  readonly replies?: { readonly right: number; readonly wrong: number; readonly unreadable: number } | undefined;
};

/** "solved 3 of 66 problems; of 264 replies 12 were right, 40 wrong and 212 unreadable" */
export function gateWords({ drawn, passed, replies }: GateCounts): string {
  const solved = `solved ${passed === 0 ? 'none' : passed} of ${drawn} problems`;
  if (replies === undefined) return solved;
  const { right, wrong, unreadable } = replies;
  const all = right + wrong + unreadable;
  return `${solved}; of ${all} replies ${right} were right, ${wrong} wrong and ${unreadable} unreadable`;
}
