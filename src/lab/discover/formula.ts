/**
 * @file Formulas over u, v and 1 in prefix notation, which needs no brackets: `/ + u v + 1 * u v` is (u + v) / (1 + u v). Speeds are in
 * units of the speed of light.
 */

export const SYMBOLS = ['u', 'v', '1', '+', '-', '*', '/'] as const;
export type FormulaSymbol = (typeof SYMBOLS)[number];

const OPERATIONS: Readonly<Partial<Record<FormulaSymbol, (a: number, b: number) => number>>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
};

export type Formula = readonly FormulaSymbol[];

export const isOperation = (symbol: FormulaSymbol): boolean => OPERATIONS[symbol] !== undefined;

/** Operands that are still missing; a formula is whole when it comes to 0 for the first time at its end. */
export const missing = (formula: Formula): number =>
  formula.reduce((open, symbol) => open + (isOperation(symbol) ? 1 : -1), 1);

export function isWhole(formula: Formula): boolean {
  let open = 1;
  for (const [at, symbol] of formula.entries()) {
    open += isOperation(symbol) ? 1 : -1;
    if (open === 0) return at === formula.length - 1;
  }
  return false;
}

/** The value of a whole formula at a place; NaN or infinite where it divides by zero. */
export function valueAt(formula: Formula, u: number, v: number): number {
  const stack: number[] = [];
  for (let at = formula.length - 1; at >= 0; at--) {
    const symbol = formula[at] as FormulaSymbol; // in range
    const operation = OPERATIONS[symbol];
    if (operation === undefined) stack.push(symbol === 'u' ? u : symbol === 'v' ? v : 1);
    else stack.push(operation(stack.pop() ?? Number.NaN, stack.pop() ?? Number.NaN));
  }
  return stack[0] ?? Number.NaN;
}

/** Places at which two formulas are told apart: different ones agree nowhere near all of them. */
const PLACES: readonly (readonly [number, number])[] = [
  [0.31, 0.57],
  [-0.43, 0.72],
  [0.83, -0.26],
  [-0.61, -0.37],
  [0.17, 0.93],
  [0.9, 0.41],
];

/** Equal for formulas that are the same function, whatever their spelling; undefined where one is not defined. */
export function functionOf(formula: Formula): string | undefined {
  const values = PLACES.map(([u, v]) => valueAt(formula, u, v));
  return values.every(Number.isFinite) ? values.map((value) => value.toPrecision(9)).join(' ') : undefined;
}

/** Einstein's addition of speeds, 1905. */
export const LAW: Formula = ['/', '+', 'u', 'v', '+', '1', '*', 'u', 'v'];

/** What held before: fine at low speeds. */
export const GALILEO: Formula = ['+', 'u', 'v'];

export const LAW_FUNCTION = functionOf(LAW);
