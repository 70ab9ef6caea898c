import { affirmed } from './final-answer.ts';
import { withoutCommas } from './numbers.ts';

/** An expression in one spelling: `(9 - 2) × 5`. */
export type Expression = string;

export const OPERATORS = ['+', '-', '×', '÷'] as const;
export type Operator = (typeof OPERATORS)[number];

export function operate(a: number, operator: Operator, b: number): number {
  if (operator === '+') return a + b;
  if (operator === '-') return a - b;
  return operator === '×' ? a * b : a / b;
}

/** The expressions that a statement affirms, of an equation either side; brackets round the whole are no part of it. */
export function expressionsIn(statement: string): Expression[] {
  const spelt = withoutCommas(statement)
    .replaceAll(/(?<=[\d)\s])[x*·](?=[\d(\s])/gi, '×')
    .replaceAll('/', '÷');
  return affirmed(spelt)
    .flatMap((part) => part.split('='))
    .flatMap((side) => side.match(/[(\d][\d\s()+×÷-]*[\d)]/g) ?? [])
    .filter((text) => /[+×÷-]/.test(text))
    .map(respell);
}

function respell(text: string): Expression {
  const tight = text.replaceAll(/\s/g, '');
  return (isWrapped(tight) ? tight.slice(1, -1) : tight).replaceAll(/[-+×÷]/g, ' $& ');
}

/** One pair of brackets round everything. */
function isWrapped(text: string): boolean {
  let depth = 0;
  for (const [at, sign] of [...text].entries()) {
    depth += sign === '(' ? 1 : sign === ')' ? -1 : 0;
    if (depth === 0) return at === text.length - 1;
  }
  return false;
}

/** The value of an expression, and the numbers that it is made of; undefined where it is none. */
export function evaluate(expression: Expression): { value: number; numbers: readonly number[] } | undefined {
  const tokens = expression.match(/\d+|[-+×÷()]/g) ?? [];
  const numbers = tokens.filter((token) => /\d/.test(token)).map(Number);
  const value = sum(tokens);
  return tokens.length === 0 && value !== undefined ? { value, numbers } : undefined;
}

/** Products joined by + and -; takes what it reads off `tokens`. */
function sum(tokens: string[]): number | undefined {
  return chain(tokens, ['+', '-'], () => chain(tokens, ['×', '÷'], () => atom(tokens)));
}

function chain(tokens: string[], signs: readonly Operator[], operand: () => number | undefined): number | undefined {
  let value = operand();
  for (;;) {
    const sign = signs.find((known) => known === tokens[0]);
    if (sign === undefined || value === undefined) return value;
    tokens.shift();
    const next = operand();
    value = next === undefined ? undefined : operate(value, sign, next);
  }
}

function atom(tokens: string[]): number | undefined {
  const token = tokens.shift();
  if (token !== '(') return token === undefined || !/\d/.test(token) ? undefined : Number(token);
  const value = sum(tokens);
  return tokens.shift() === ')' ? value : undefined;
}
