import { createRequire } from 'node:module';
import { createContext, Script } from 'node:vm';
import type { ComputeEngine, Expression } from '@cortex-js/compute-engine';
import { stream } from '../../random.ts';

/**
 * Whether two expressions are the same number or the same function. A library parses them; they are then compared by their
 * values at random points, because two functions that agree to ten digits at four points of their own are the same one.
 * Undefined where an expression holds what is not known, or is too large to be tried: a reply is a stranger's text.
 */
export function sameScalar(a: string, b: string, how: 'equal' | 'up to a factor' = 'equal'): boolean | undefined {
  if (!isSmall(a) || !isSmall(b)) return undefined;
  const library = computeEngine();
  return inTime(() => {
    const [one, other] = [parse(library, a), parse(library, b)];
    return one && other && sameValues(one, other, how);
  });
}

/** Wall time, ms: a hundred times what a comparison takes, so that a busy machine finds the same. */
const LIMIT = 1000;
const context = createContext({});
const run = new Script('compute()');

/** Undefined where the library cannot take it, or does not come to an end: then another engine is made for the next one. */
function inTime(compute: () => boolean | undefined): boolean | undefined {
  context.compute = compute;
  try {
    return run.runInContext(context, { timeout: LIMIT });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') engine = undefined; // it was stopped in the middle
    return undefined;
  }
}

const LONGEST = 200;
const KNOWN =
  /^(?:frac|sqrt|pi|cdot|div|sin|cos|tan|sec|csc|cot|arcsin|arccos|arctan|sinh|cosh|tanh|log|ln|exp|infty|binom|lfloor|rfloor|lceil|rceil|overline|alpha|beta|gamma|delta|epsilon|theta|lambda|mu|phi|rho|sigma|tau|omega)$/;

/** Short, flat, made of known words, and without powers or factorials that would take minutes. */
function isSmall(latex: string): boolean {
  const words = latex.match(/\\[a-zA-Z]+/g) ?? [];
  if (latex.length > LONGEST || words.some((word) => !KNOWN.test(word.slice(1)))) return false;
  if (/[&?"#@:;']|\d{60}|\\\\|[a-zA-Z]{4}/.test(latex.replaceAll(/\\[a-zA-Z]+/g, ' '))) return false;
  if (/\d{3,}\s?!|![\s)]*!|\)\s?!|\^[\s{(-]*\d{4}|\^[^+\-*/,]*\^/.test(latex)) return false;
  return depthOf(latex) <= DEEPEST;
}

const DEEPEST = 12;

function depthOf(latex: string): number {
  let [depth, deepest] = [0, 0];
  for (const sign of latex) {
    if ('({['.includes(sign)) deepest = Math.max(deepest, ++depth);
    else if (')}]'.includes(sign)) depth--;
  }
  return deepest;
}

let engine: ComputeEngine | undefined;

/** Loaded when a formula is first compared: it takes a third of a second, and most files of problems hold none. */
function computeEngine(): ComputeEngine {
  if (engine) return engine;
  const library = createRequire(import.meta.url)(
    '@cortex-js/compute-engine',
  ) as typeof import('@cortex-js/compute-engine');
  engine = new library.ComputeEngine();
  return engine;
}

function parse(library: ComputeEngine, latex: string): Expression | undefined {
  const parsed = library.parse(latex);
  return parsed.isValid ? parsed : undefined;
}

const POINTS = 4;
const AGREE = 1e-10;

function sameValues(a: Expression, b: Expression, how: 'equal' | 'up to a factor'): boolean | undefined {
  const names = [...new Set([...a.unknowns, ...b.unknowns])].sort();
  if (names.length > 6) return undefined;
  const draws = stream(1, 'points', ...names);
  const ratios: Complex[] = [];
  for (let tries = 0; tries < 3 * POINTS && ratios.length < (names.length === 0 ? 1 : POINTS); tries++) {
    const point = Object.fromEntries(names.map((name) => [name, 0.5 + 2 * draws.uniform()]));
    const [left, right] = [valueAt(a, point), valueAt(b, point)];
    if (left === undefined || right === undefined) continue;
    if (how === 'equal' && !near(left, right)) return false;
    ratios.push(quotient(left, right));
  }
  if (ratios.length === 0) return undefined;
  if (how === 'equal') return isExact(a, b) ? a.isEqual(b) : true;
  return ratios.every((ratio) => near(ratio, ratios[0]!)); // there is one
}

const LARGE = 1e9;

/** Numbers that floating point may not tell apart. */
const isExact = (a: Expression, b: Expression): boolean =>
  a.unknowns.length + b.unknowns.length === 0 && Math.abs(a.N().re) > LARGE;

type Complex = { readonly re: number; readonly im: number };

function valueAt(expression: Expression, point: Readonly<Record<string, number>>): Complex | undefined {
  const { re, im } = expression.subs(point).N();
  return Number.isFinite(re) && Number.isFinite(im) ? { re, im } : undefined;
}

const size = ({ re, im }: Complex): number => Math.hypot(re, im);

const near = (a: Complex, b: Complex): boolean =>
  size({ re: a.re - b.re, im: a.im - b.im }) <= AGREE * Math.max(size(a), size(b), 1e-3);

function quotient(a: Complex, b: Complex): Complex {
  const square = b.re ** 2 + b.im ** 2;
  return { re: (a.re * b.re + a.im * b.im) / square, im: (a.im * b.re - a.re * b.im) / square };
}
