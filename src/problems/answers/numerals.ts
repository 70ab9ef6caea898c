import { decimal, fraction, negated, plus, type Rational, times } from './rational.ts';

/** A number as it stands in a text. */
export type Numeral = {
  readonly index: number;
  readonly end: number;
  /**
   * What it is worth; undefined where what stands beside it makes it another number ("5k", "5²", "5 million", "5:30"),
   * so that it is never read as the number that it begins with.
   */
  readonly value: Rational | undefined;
  /** What a multiplier would make of it: 5,000,000 of "5 million". */
  readonly scaled?: Rational;
  readonly percent: boolean;
};

/** Longer digits are no numbers that anybody compares, and cost time in proportion to their square. */
const MOST_DIGITS = 400;
const MOST_EXPONENT = 400;

const DIGITS = /\d+(?:,\d+){0,40}(?:\.\d+)?|\.\d+/y;
const SPACED = /\d{1,3}(?: \d{3})+(?:\.\d+)?(?![\d/])(?! \d)/y;
const EXPONENT = /[eE]([+-]?\d+)(?![\w.]\w)/y;
const TIMES_TEN = /\s?(?:×|\*|·|x)\s?10\s?(?:\^\s?\{?\s?([+-]?\d+)\s?\}?|([⁻⁺]?[⁰¹²³⁴-⁹]+))/y;
const UNDER = /\s?\/\s?(\d+)(?![\d.]*\/)/y;
const MIXED = / (\d+)\s?\/\s?(\d+)(?![\d./])/y;
const VULGAR = /\s?([¼-¾⅐-⅞])/y;

/** What a word behind a number makes of it. */
const MULTIPLIERS: Readonly<Record<string, number>> = {
  dozen: 12, hundred: 1e2, thousand: 1e3, k: 1e3, lakh: 1e5, million: 1e6, mn: 1e6, crore: 1e7, billion: 1e9, bn: 1e9, trillion: 1e12,
}; // biome-ignore format: a table

const MULTIPLIER = new RegExp(String.raw`\s?(${Object.keys(MULTIPLIERS).join('|')})s?\b`, 'iy');

/** Not a number by itself: what stands behind it, or before it, changes it. */
const CHANGED_BEHIND =
  /[²³⁴-⁹¹⁰^!_√π∞\\]|\.\d|:\d|\/\s?\d|\s(?:√|π|\\|\^)|\s(?:less|more|fewer|greater) than\b|\s?(?:±|\+\/-)/iy;
const CHANGED_BEFORE = /(?:(?:[<>≤≥√^_]|\b(?:more|less|fewer|greater) than|\bat (?:least|most))\s?|\d:|\d\s?\/\s?)$/i;
const LONGEST_BEFORE = 'greater than '.length;

/** Letters right behind a number: units stay, anything else makes it no number. */
const ATTACHED = /([a-zA-Zµ°Ω]+)/y;
const UNITS =
  /^(?:mm|cm|km|in|ft|yd|mi|mg|g|kg|lb|lbs|oz|ml|l|L|s|sec|ms|min|mins|h|hr|hrs|hz|Hz|kHz|MHz|mph|kph|kmh|km\/h|kW|kWh|kJ|Pa|kPa|°|°C|°F|am|pm|USD|EUR|GBP|px|cents|pts|pt|dollars|degrees)$/;
const PERCENT = /\s?(?:%|percent\b|per cent\b|pct\b)/iy;

/** The numbers in a plain text (without Markdown and LaTeX), in their order. Takes time in proportion to the text. */
export function numeralsIn(text: string): Numeral[] {
  const found: Numeral[] = [];
  for (let at = 0; at < text.length; at++) {
    if (!startsNumeral(text, at)) continue;
    const numeral = numeralAt(text, at);
    found.push(numeral);
    at = numeral.end - 1;
  }
  return found;
}

/** A digit, or a point in front of one, that no word, bracket or other number stands before. */
function startsNumeral(text: string, at: number): boolean {
  const here = text.charCodeAt(at);
  if (!isDigit(here) && !(here === 46 && isDigit(text.charCodeAt(at + 1)))) return isVulgar(text, at);
  return at === 0 || !/[\p{L}\p{N}_)]/u.test(text[at - 1]!);
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isVulgar = (text: string, at: number): boolean => /[¼-¾⅐-⅞]/.test(text[at]!);

function numeralAt(text: string, at: number): Numeral {
  const spaced = matchAt(SPACED, text, at)?.[0];
  if (spaced) return finish(text, at, valueAt(text, at + spaced.length, spaced.replaceAll(' ', '')));
  const written = matchAt(DIGITS, text, at)?.[0] ?? ''; // nothing in front of ½
  if (isGrouped(written)) return finish(text, at, valueAt(text, at + written.length, written.replaceAll(',', '')));
  const first = written.slice(0, written.indexOf(',')); // the commas of a list
  return finish(text, at, { value: decimal(first, ''), end: at + first.length });
}

/** Without commas; by thousands, or as in India by thousands and then by hundreds. */
const isGrouped = (written: string): boolean =>
  !written.includes(',') ||
  /^\d{1,3}(?:,\d{3})+(?:\.\d+)?$/.test(written) ||
  /^\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?$/.test(written);

type Read = { readonly value: Rational | undefined; readonly end: number };

/** The value of `digits` together with the exponent or the fraction that stands behind them. */
function valueAt(text: string, end: number, digits: string): Read {
  if (digits.length > MOST_DIGITS) return { value: undefined, end };
  const [whole = '', decimals = ''] = digits.split('.');
  const exponent = matchAt(EXPONENT, text, end) ?? matchAt(TIMES_TEN, text, end);
  if (exponent) {
    const power = Number(exponent[1] ?? fromSuperscript(exponent[2]!)); // one of the two has matched
    const value = Math.abs(power) > MOST_EXPONENT ? undefined : decimal(whole, decimals, power);
    return { value, end: end + exponent[0].length };
  }
  return withFraction(text, end, decimal(whole, decimals), digits === '');
}

function withFraction(text: string, end: number, value: Rational, alone: boolean): Read {
  const vulgar = matchAt(VULGAR, text, end);
  if (vulgar) return { value: plus(value, VULGARS[vulgar[1]!]!), end: end + vulgar[0].length }; // the table has all
  const mixed = alone || value.under !== 1n ? undefined : matchAt(MIXED, text, end);
  if (mixed) {
    const part = fraction(BigInt(mixed[1]!), BigInt(mixed[2]!)); // digits
    return { value: part && plus(value, part), end: end + mixed[0].length };
  }
  const under = matchAt(UNDER, text, end);
  if (!under || value.under !== 1n || under[1]!.length > MOST_DIGITS) return { value, end };
  return { value: fraction(value.over, BigInt(under[1]!)), end: end + under[0].length };
}

const VULGARS: Readonly<Record<string, Rational>> = Object.fromEntries(
  [...'¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞'].map((sign) => {
    const [over, under] = sign.normalize('NFKC').split('\u2044').map(BigInt);
    return [sign, { over: over!, under: under! }]; // each is a fraction
  }),
);

const fromSuperscript = (text: string): string => text.normalize('NFKC').replace('\u2212', '-');

/** Sign, percent, and what else stands beside it. */
function finish(text: string, at: number, { value, end }: Read): Numeral {
  const start = signBefore(text, at);
  const signed = value && start < at && text[start] === '-' ? negated(value) : value;
  const percent = matchAt(PERCENT, text, end);
  if (percent) return { index: start, end: end + percent[0].length, value: signed, percent: true };
  const multiplier = matchAt(MULTIPLIER, text, end);
  if (multiplier && signed) {
    const scaled = times(signed, decimal(String(MULTIPLIERS[multiplier[1]!.toLowerCase()]), '')); // the table has all
    return { index: start, end: end + multiplier[0].length, value: undefined, scaled, percent: false };
  }
  const plain = !isChanged(text, start, end);
  return { index: start, end, value: plain ? signed : undefined, percent: false };
}

function isChanged(text: string, start: number, end: number): boolean {
  if (matchAt(CHANGED_BEHIND, text, end)) return true;
  if (CHANGED_BEFORE.test(text.slice(Math.max(0, start - LONGEST_BEFORE), start))) return true;
  const attached = matchAt(ATTACHED, text, end)?.[1];
  return attached !== undefined && !UNITS.test(attached);
}

/** Where the number begins with its sign; a minus behind a number, a bracket or a word is an operator or a dash. */
function signBefore(text: string, at: number): number {
  const before = text.slice(Math.max(0, at - 8), at);
  const [, left = '', sign] = /^(.*?)([-+]\s?[€£¥₹]?\s?)$/s.exec(before) ?? [];
  if (sign === undefined) return at;
  const start = at - sign.length;
  if (/[\d)\]}%]\s?$/.test(left)) return at;
  if (!/[\p{L}_]\s*$/u.test(left)) return start;
  const isBinding =
    /\s$/.test(left) && (/^[-+]\S*$/.test(sign) || /\b(?:is|are|be|to|of|or|and|than|not|but)\s+$/i.test(left));
  return isBinding ? start : at;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}
