import { FAMILIES, type FamilyEntry } from './families.ts';
import type { ProblemFamily } from './problem-family.ts';
import { withShots } from './shots.ts';

/** The same family made easier, by options of the command line. */
export type Easier = { readonly flags: string; readonly family: ProblemFamily<unknown> };

const SHOTS = 3;

/** Ways to make a family easier that were not taken yet: demonstrations, its easiest dials, both. */
export function easierWays(
  family: ProblemFamily<unknown>,
  name: string,
  entries: readonly FamilyEntry[] = FAMILIES,
): Easier[] {
  const entry = entries.find((one) => one.name === name);
  if (entry === undefined || family.challenges === undefined) return [];
  const dials = Object.entries(entry.easiest).map(([dial, value]) => `--set ${dial}=${value}`).join(' ');
  const simple = entry.open(entry.easiest);
  const ways = [
    { flags: `--shots ${SHOTS}`, family: withShots(family, SHOTS) },
    { flags: dials, family: simple },
    { flags: `${dials} --shots ${SHOTS}`, family: withShots(simple, SHOTS) },
  ];
  return family.shots === undefined ? ways : ways.slice(2);
} // biome-ignore format: one line a statement
