import { numeralsIn } from './numerals.ts';
import type { Rational } from './rational.ts';
import { textForm } from './text-form.ts';
import { tidyLatex } from './tidy-latex.ts';

/** What an answer states, as far as it can be compared with another one. `form` is how it is compared letter by letter. */
export type Value = { readonly form: string } & (
  | { readonly kind: 'number'; readonly value: Rational; readonly percent: boolean; readonly unit: string }
  /** Digits in a base: `204_5`. */
  | { readonly kind: 'based'; readonly digits: string; readonly base: string }
  /** An expression that stands for one number or one function. */
  | { readonly kind: 'scalar'; readonly latex: string }
  /** Several values: a list, a tuple, an interval, a set, a union, the rows of a matrix. */
  | { readonly kind: 'several'; readonly brackets: Brackets; readonly parts: readonly Value[] }
  /** An equation or an inequality that does not merely name its right side. */
  | { readonly kind: 'relation'; readonly sign: string; readonly left: string; readonly right: string }
  | { readonly kind: 'text' }
);

/** What holds several values together; their order matters in all but the first three. */
export type Brackets = 'list' | '{}' | 'union' | '()' | '[]' | '[)' | '(]' | '<>' | 'matrix';

/** Longer answers are compared as texts only. */
const LONGEST = 400;
/** Deeper ones, too. */
const DEEPEST = 6;

/** Reads an answer, as a file or a reply writes it. */
export function readValue(answer: string): Value {
  if (answer.length > LONGEST) return { kind: 'text', form: textForm(answer) };
  const latex = tidyLatex(answer);
  return formed(latex, read(latex, 0));
}

function formed(latex: string, bare: Bare): Value {
  return { ...bare, form: bare.kind === 'text' ? textForm(latex) : latex.replaceAll(/\s/g, '') };
}

type Bare = Value extends infer Kind ? (Kind extends Value ? Omit<Kind, 'form'> : never) : never;

function read(answer: string, depth: number): Bare {
  const number = readNumber(answer);
  if (number) return number;
  const latex = withoutUnit(answer);
  if (depth > DEEPEST || !isMaths(latex)) return { kind: 'text' };
  return readSeveral(latex, depth) ?? readRelation(latex, depth) ?? readBased(latex) ?? { kind: 'scalar', latex };
}

const part = (latex: string, depth: number): Value => formed(latex.trim(), read(latex.trim(), depth + 1));

const UNIT = /^\s?([\p{L}°'µ"]+(?:[\s/·-]\p{L}+)*(?:\s?\^\s?\{?[23]\}?)?)?$/u;
const LONGEST_UNIT = 40;

/** One number, with nothing beside it but a currency before and a unit behind it. */
function readNumber(latex: string): Bare | undefined {
  const text = withFractions(latex);
  const [numeral, ...others] = numeralsIn(text);
  if (numeral === undefined) return undefined;
  const unit = text.slice(numeral.end).trim();
  const value = numeral.value ?? numeral.scaled;
  const alone = /^[€£¥₹]?\s?$/.test(text.slice(0, numeral.index)) && others.length === (/[23]\}?$/.test(unit) ? 1 : 0);
  if (!alone || value === undefined || unit.length > LONGEST_UNIT || !UNIT.test(unit)) return undefined;
  if (/^(?:pi|[a-z])$/i.test(unit) && !/^[lmghs]$/.test(unit)) return undefined;
  return { kind: 'number', value, percent: numeral.percent, unit: unitForm(unit) };
}

/** `10\sqrt{3} cm` as 10\sqrt{3}: words behind a formula are its unit. */
function withoutUnit(latex: string): string {
  const [, formula, unit = ''] =
    /^(.*[\d})!])\s([a-zA-Z]{2,}(?:\s[a-zA-Z]+){0,3}(?:\s?\^\s?\{?[23]\}?)?)$/.exec(latex) ?? [];
  return formula === undefined || /^(?:and|or|if|for|when|where|with|in|is|not)\b/.test(unit) ? latex : formula;
}

/** `\frac{3}{4}` as 3/4, and `1\frac34` as 1 3/4. */
function withFractions(latex: string): string {
  return latex
    .replaceAll(
      /(\d)?\s?\\frac\s?(?:\{\s?(-?\d+)\s?\}|(\d))\s?(?:\{\s?(\d+)\s?\}|(\d))(?!\s?\d)/g,
      (_, whole: string | undefined, a, b, c, d) => {
        return `${whole === undefined ? '' : `${whole} `}${a ?? b}/${c ?? d}`;
      },
    )
    .replaceAll('\\cdot ', '×');
}

function unitForm(unit: string): string {
  const form = unit.toLowerCase().replaceAll(/[\s{}.]/g, '').replace(/(?<=[a-z]{2})s$/, '');
  return UNIT_NAMES.get(form) ?? form;
} // biome-ignore format: one thought

const UNIT_NAMES = new Map(
  Object.entries({
    cm: 'centimeter centimetre', mm: 'millimeter millimetre', m: 'meter metre', km: 'kilometer kilometre', in: 'inche inch "',
    ft: "foot feet '", mi: 'mile', g: 'gram gramme', kg: 'kilogram kilo', l: 'liter litre', ml: 'milliliter millilitre',
    h: 'hour hr', min: 'minute', s: 'second sec', $: 'dollar usd', '°': 'degree', cent: 'cent ¢', 'cm^2': 'squarecentimeter squarecm sqcm',
    'm^2': 'squaremeter squarem sqm', 'ft^2': 'squarefoot squarefeet sqft', 'in^2': 'squareinche squareinch sqin', mph: 'mi/h milesperhour mileperhour',
  }).flatMap(([name, others]) => [[name, name] as const, ...others.split(' ').map((other) => [other, name] as const)]),
); // biome-ignore format: a table

const WORDS = /\\[a-zA-Z]+|\b(?:and|or|sin|cos|tan|sec|csc|cot|log|ln|exp|arcsin|arccos|arctan)\b/g;

/** Whether it is a formula and not words: no run of letters that could be a word, but a sign or digits or one letter in brackets. */
function isMaths(latex: string): boolean {
  const letters = latex.replaceAll(/\\(?:begin|end)\{[a-z]+\}(?:\{[clr|]*\})?/gi, ' \\cdot ').replaceAll(WORDS, ' ');
  if (/[^\u0020-\u007e°]/.test(letters) || /[a-zA-Z']{4}/.test(letters) || /[?"#@]/.test(letters)) return false;
  const operated = /\\[a-zA-Z]|[\^_=<>+/|]|-|!/.test(latex);
  if (/[a-zA-Z]{2}/.test(letters))
    return operated && !/[a-zA-Z]{2,}\s[a-zA-Z]{2,}|[a-zA-Z]-[a-zA-Z]{2}|[a-zA-Z]{2}-[a-zA-Z]/.test(letters);
  return /\d|\\[a-zA-Z]/.test(latex) || operated || /^[([{\\].*[,;].*[)\]}]$/.test(latex);
}

const OPENERS = '([{';
const CLOSERS = ')]}';

/** Calls `at` for each place outside of all brackets and environments. */
function outside(latex: string, at: (index: number) => void): void {
  let depth = 0;
  for (let index = 0; index < latex.length; index++) {
    if (depth === 0) at(index);
    if (latex.startsWith('\\begin{', index) || latex.startsWith('\\langle', index) || OPENERS.includes(latex[index]!))
      depth++;
    if (latex.startsWith('\\end{', index) || latex.startsWith('\\rangle', index) || CLOSERS.includes(latex[index]!))
      depth = Math.max(0, depth - 1);
  }
}

/** Cut where a separator stands outside of brackets. */
function cut(latex: string, separator: RegExp): string[] {
  const parts: string[] = [];
  let start = 0;
  outside(latex, (index) => {
    separator.lastIndex = index;
    const found = index < start ? null : separator.exec(latex);
    if (!found) return;
    parts.push(latex.slice(start, index));
    start = index + found[0].length;
  });
  return [...parts, latex.slice(start)];
}

const LIST = /\s?(?:[,;]\s?(?:and\b|or\b)?|\\q?quad\b|\b(?:and|or)\b)/y;
const UNION = /\\cup(?![a-zA-Z])/y;
const PLUS_MINUS = /\\pm(?![a-zA-Z])|\u00b1/;

function readSeveral(latex: string, depth: number): Bare | undefined {
  const listed = cut(latex, LIST).filter((one) => one.trim() !== '');
  if (listed.length > 1) return several('list', listed, depth);
  const united = cut(latex, UNION);
  if (united.length > 1) return several('union', united, depth);
  return readMatrix(latex, depth) ?? readBracketed(latex, depth) ?? readPlusMinus(latex, depth);
}

/** Two values. */
function readPlusMinus(latex: string, depth: number): Bare | undefined {
  if (latex.split(PLUS_MINUS).length !== 2) return undefined;
  return several('list', ['+', '-'].map((sign) => latex.replace(PLUS_MINUS, sign).replace(/^\+/, '')), depth);
} // biome-ignore format: one thought

function several(brackets: Brackets, parts: readonly string[], depth: number): Bare {
  const values = parts.map((one) => part(one, depth));
  const flat = values.flatMap((one) => (isUnordered(brackets) && one.kind === 'several' && one.brackets === 'list' ? one.parts : [one]));
  return { kind: 'several', brackets, parts: flat };
} // biome-ignore format: one thought

/** Whether the order of the values does not matter. */
export const isUnordered = (brackets: Brackets): boolean =>
  brackets === 'list' || brackets === '{}' || brackets === 'union';

const MATRIX = /^\\begin\{(?:[pbB]?matrix|smallmatrix|array)\}(?:\s?\{[^{}]*\})?(.*)\\end\{[a-zA-Z]+\}$/s;

function readMatrix(latex: string, depth: number): Bare | undefined {
  const inner = MATRIX.exec(latex.replace(/^\(\s?(\\begin.*\\end\{array\})\s?\)$/s, '$1').trim())?.[1];
  if (inner === undefined || inner.includes('\\begin')) return undefined;
  const rows = inner.replaceAll('\\hline', '').split(/\\\\(?:\[[^\]]*\])?/).filter((row) => row.trim() !== '');
  const cells = rows.map((row): Value => ({ ...several('matrix', row.split('&'), depth), form: '' }));
  return { kind: 'several', brackets: 'matrix', parts: cells };
} // biome-ignore format: one thought

function readBracketed(latex: string, depth: number): Bare | undefined {
  const [, open, inner, close] = /^(\\\{|\\langle|[([{])(.*?)(\\\}|\\rangle|[)\]}])$/s.exec(latex) ?? [];
  if (open === undefined || inner === undefined || close === undefined || !closesAtEnd(latex)) return undefined;
  const parts = cut(inner, /[,;]/y);
  const brackets = BRACKETS[`${open}${close}`];
  if (brackets === '()' && parts.length === 1) return read(inner.trim(), depth + 1);
  return brackets === undefined ? undefined : several(brackets, parts, depth);
}

const BRACKETS: Readonly<Record<string, Brackets>> = {
  '\\{\\}': '{}', '{}': '{}', '()': '()', '[]': '[]', '[)': '[)', '(]': '(]', '\\langle\\rangle': '<>',
}; // biome-ignore format: a table

/** Whether the first bracket is closed by the last sign. */
function closesAtEnd(latex: string): boolean {
  const places: number[] = [];
  outside(latex, (index) => places.push(index));
  return places.every((index) => index === 0 || (latex[0] === '\\' && index === 1));
}

const RELATION = /\\(?:leq|geq|neq|in|approx|equiv)(?![a-zA-Z])|[=<>]/y;
/** What only names the answer: `x`, `f(x)`, `a_1`, `(p, q)`, `AB`. */
const NAME =
  /^\\?[a-zA-Z]{1,6}'?(?:_\{?\w{1,3}\}?)?(?:\^\{-1\})?(?:\([a-z](?:,\s?[a-z])*\))?$|^\([a-z](?:,\s?[a-z])*\)$/;

function readRelation(latex: string, depth: number): Bare | undefined {
  const sides: string[] = [];
  const signs: string[] = [];
  let start = 0;
  outside(latex, (index) => {
    RELATION.lastIndex = index;
    const sign = index < start ? undefined : RELATION.exec(latex)?.[0];
    if (sign === undefined) return;
    sides.push(latex.slice(start, index).trim());
    signs.push(sign);
    start = index + sign.length;
  });
  if (signs.length === 0) return undefined;
  return relation([...sides, latex.slice(start).trim()], signs, depth);
}

function relation(sides: readonly string[], signs: readonly string[], depth: number): Bare {
  const [left = '', last = ''] = [sides[0], sides.at(-1)];
  const named = NAME.test(left) && signs.every((sign) => sign === '=' || sign === '\\in');
  if (named || (sides.length > 2 && signs.every((sign) => sign === '='))) return read(last, depth + 1);
  const interval = intervalOf(sides, signs, depth);
  if (interval) return interval;
  if (sides.length > 2) return { kind: 'text' };
  return { kind: 'relation', sign: signs[0]!, left, right: last }; // there is one
}

/** `-2 < x \leq 7` as the interval that it is. */
function intervalOf(sides: readonly string[], signs: readonly string[], depth: number): Bare | undefined {
  const at = sides.findIndex((side) => /^[a-z]$/.test(side));
  const others = sides.filter((_, index) => index !== at);
  if (at < 0 || others.some((side) => side === '' || /^[a-z]$/.test(side)) || !signs.every((sign) => sign in TURNED))
    return undefined;
  const bounds = signs.map((sign, index) => ({
    sign: index < at ? TURNED[sign]! : sign,
    side: sides[index < at ? index : index + 1]!,
  })); // just seen to be there
  const lower = bounds.find(({ sign }) => sign === '>' || sign === '\\geq');
  const upper = bounds.find(({ sign }) => sign === '<' || sign === '\\leq');
  if (bounds.length > 2 || (bounds.length === 2 && !(lower && upper))) return undefined;
  const brackets = `${lower?.sign === '\\geq' ? '[' : '('}${upper?.sign === '\\leq' ? ']' : ')'}` as Brackets; // one of the four
  return several(brackets, [lower?.side ?? '-\\infty', upper?.side ?? '\\infty'], depth);
}

const TURNED: Readonly<Record<string, string>> = { '<': '>', '>': '<', '\\leq': '\\geq', '\\geq': '\\leq' };

function readBased(latex: string): Bare | undefined {
  const [, digits, base] = /^([0-9A-F]+)_\s?\{?(\d{1,2})\}?$/.exec(latex.replaceAll(' ', '')) ?? [];
  return digits === undefined || base === undefined ? undefined : { kind: 'based', digits, base };
}
