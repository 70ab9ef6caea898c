import { type Formula, functionOf, LAW_FUNCTION, SYMBOLS } from './formula.ts';

export type Found = { readonly evaluations: number; readonly functions: number; readonly formula: Formula | undefined };

/**
 * Every function in order of size, one formula for each (observational equivalence): what finding a law costs anyone who tries
 * all of them.
 * @param leaves of the largest formulas.
 */
export function enumerate(leaves: number, wanted = LAW_FUNCTION): Found {
  const known = new Set<string>();
  const bySize: Formula[][] = [[]];
  let evaluations = 0;
  const meet = (formula: Formula, size: number): boolean => {
    evaluations++;
    const own = functionOf(formula);
    if (own === undefined || known.has(own)) return false;
    known.add(own);
    bySize[size]?.push(formula);
    return own === wanted;
  };
  for (let size = 1; size <= leaves; size++) {
    bySize[size] = [];
    for (const formula of formulasOf(size, bySize)) {
      if (meet(formula, size)) return { evaluations, functions: known.size, formula };
    }
  }
  return { evaluations, functions: known.size, formula: undefined };
}

function* formulasOf(size: number, bySize: readonly (readonly Formula[])[]): Generator<Formula> {
  if (size === 1) yield* [['u'], ['v'], ['1']] as Formula[];
  for (let left = 1; left < size; left++) {
    for (const operation of SYMBOLS.slice(3)) {
      for (const a of bySize[left] ?? []) for (const b of bySize[size - left] ?? []) yield [operation, ...a, ...b];
    }
  }
}
