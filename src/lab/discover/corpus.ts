import type { Stream } from '../../random.ts';
import { type Formula, type FormulaSymbol, functionOf, LAW_FUNCTION } from './formula.ts';

/** Tokens of the longest formula. */
export const LONGEST = 11;

const LEAVES: readonly FormulaSymbol[] = ['u', 'v', '1'];

/** Every exchange of the roles of u, v and 1. */
const ROLES: readonly Readonly<Record<string, FormulaSymbol>>[] = [
  { u: 'u', v: 'v', '1': '1' },
  { u: 'v', v: 'u', '1': '1' },
  { u: 'u', v: '1', '1': 'v' },
  { u: '1', v: 'v', '1': 'u' },
  { u: 'v', v: '1', '1': 'u' },
  { u: '1', v: 'u', '1': 'v' },
];

/** Whether a formula is the law under any exchange of roles: none of the training text may be. */
export function leaks(formula: Formula): boolean {
  return ROLES.some((roles) => functionOf(formula.map((symbol) => roles[symbol] ?? symbol)) === LAW_FUNCTION);
}

/** Formulas of a physicist before the law: sums, products and, where `rational`, quotients, as for lenses or Doppler. */
export function oldFormulas(count: number, rational: boolean, draws: Stream): { formulas: Formula[]; dropped: number } {
  const formulas: Formula[] = [];
  let dropped = 0;
  while (formulas.length < count) {
    const formula = grown(2 + draws.integer(4), rational, draws);
    if (formula.length > LONGEST || functionOf(formula) === undefined) continue;
    if (leaks(formula)) dropped++;
    else formulas.push(formula);
  }
  return { formulas, dropped };
}

/** A formula with this many leaves. */
export function grown(leaves: number, rational: boolean, draws: Stream): Formula {
  if (leaves <= 1) return [draws.pick(LEAVES)];
  const operation = draws.weighted({ '+': 3, '-': 1.5, '*': 2.5, '/': rational ? 2 : 0 });
  const left = 1 + draws.integer(leaves - 1);
  return [operation, ...grown(left, rational, draws), ...grown(leaves - left, rational, draws)];
}
