/**
 * @file Python's text functions, where those of `@huggingface/jinja` give another text. Their arguments are values of
 * that library laid bare: strings, numbers, booleans and null are themselves, lists hold its boxes, mappings are Maps.
 */

type Boxed = { readonly type: string; readonly value: unknown };

const SPACES = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const SPACES_BEFORE = new RegExp(`^${SPACES}+`);
const SPACES_BEHIND = new RegExp(`${SPACES}+$`);

const plain = (value: unknown): value is string => typeof value === 'string';

/** Refuses what is not text, as Python does. */
function text(value: unknown): string {
  if (plain(value)) return value;
  throw new Error(`a text was expected, not ${repr(value)}`);
}

function lstrip(value: unknown, characters?: unknown): string {
  if (!plain(characters)) return text(value).replace(SPACES_BEFORE, '');
  const all = Array.from(text(value));
  const first = all.findIndex((one) => !characters.includes(one));
  return first < 0 ? '' : all.slice(first).join('');
}

function rstrip(value: unknown, characters?: unknown): string {
  if (!plain(characters)) return text(value).replace(SPACES_BEHIND, '');
  const all = Array.from(text(value));
  return all.slice(0, all.findLastIndex((one) => !characters.includes(one)) + 1).join('');
}

const strip = (value: unknown, characters?: unknown): string => lstrip(rstrip(value, characters), characters);

const capitalize = (value: unknown): string => {
  const [first = '', ...rest] = Array.from(text(value));
  return first.toUpperCase() + rest.join('').toLowerCase();
};

/** A word of the filter begins behind a blank or a bracket; the method's behind anything that is no letter. */
const titleFilter = (value: unknown): string =>
  text(value)
    .split(/([-\s({[<]+)/)
    .map(capitalize)
    .join('');
const title = (value: unknown): string => text(value).replaceAll(/\p{L}+/gu, capitalize);

const count = (value: unknown, part: unknown): number => text(value).split(text(part)).length - 1;

const find = (value: unknown, part: unknown): number => {
  const at = text(value).indexOf(text(part));
  return at < 0 ? -1 : Array.from(text(value).slice(0, at)).length;
};

const removeprefix = (value: unknown, part: unknown): string =>
  text(value).startsWith(text(part)) ? text(value).slice(text(part).length) : text(value);

const removesuffix = (value: unknown, part: unknown): string =>
  text(value).endsWith(text(part)) ? text(value).slice(0, text(value).length - text(part).length) : text(value);

function rsplit(value: unknown, separator: unknown, most: unknown = -1): string[] {
  const parts = text(value).split(text(separator));
  const kept = typeof most === 'number' && most >= 0 ? Math.max(0, parts.length - most - 1) : 0;
  return [parts.slice(0, kept + 1).join(text(separator)), ...parts.slice(kept + 1)];
}

const join = (separator: unknown, parts: unknown): string =>
  listOf(parts)
    .map(({ value }) => text(value))
    .join(text(separator));

/** `{}` one after another, `{0}` and `{name}`; a form behind a colon is refused. */
function format(value: unknown, ...given: unknown[]): string {
  let next = 0;
  return text(value).replaceAll(/\{\{|\}\}|\{([^{}]*)\}/g, (written, name?: string) => {
    if (name === undefined) return written.slice(1);
    if (name !== '' && !/^\d+$/.test(name)) throw new Error(`format: the field ${written} is not supported`);
    return str(given[name === '' ? next++ : Number(name)]);
  });
}

const isOf =
  (pattern: RegExp) =>
  (value: unknown): boolean =>
    pattern.test(text(value));

/** Written as a call: a list's length, or a text's in code points. */
function length(value: unknown): number {
  if (plain(value)) return Array.from(value).length;
  if (value instanceof Map) return value.size;
  return value === undefined ? 0 : listOf(value).length;
}

const listOf = (value: unknown): readonly Boxed[] => {
  if (Array.isArray(value)) return value;
  throw new Error(`a list was expected, not ${repr(value)}`);
};

/** As `str()`; nothing for what is undefined. */
export function str(value: unknown): string {
  return plain(value) ? value : value === undefined ? '' : repr(value);
}

/** As `repr()`. */
function repr(value: unknown): string {
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (plain(value)) return quoted(value);
  if (Array.isArray(value)) return `[${value.map(boxedRepr).join(', ')}]`;
  if (value instanceof Map) {
    return `{${[...value].map(([key, one]) => `${repr(key)}: ${boxedRepr(one)}`).join(', ')}}`;
  }
  if (typeof value === 'number') return String(value);
  throw new Error(`the text of a ${typeof value} is not supported`);
}

function boxedRepr({ type, value }: Boxed): string {
  if (type === 'UndefinedValue') return 'Undefined';
  if (type === 'NullValue') return 'None'; // its bare value is undefined
  if (type === 'FloatValue') return Number.isInteger(value) ? `${value}.0` : String(value);
  if (type === 'TupleValue') throw new Error('the text of a tuple is not supported');
  return repr(value);
}

function quoted(value: string): string {
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  const escaped = value.replaceAll(/[\\\n\r\t]|\p{C}|(?! )\p{Z}/gu, (one) => {
    const short = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }[one];
    if (short !== undefined) return short;
    throw new Error('the text of a list that holds control characters is not supported');
  });
  return quote + escaped.replaceAll(quote, `\\${quote}`) + quote;
}

/** Methods of texts by their names. */
export const METHODS: Readonly<Record<string, (...given: unknown[]) => unknown>> = {
  strip, lstrip, rstrip, capitalize, title, count, find, removeprefix, removesuffix, rsplit, join, format,
  isdigit: isOf(/^\p{Nd}+$/u),
  isalpha: isOf(/^\p{L}+$/u),
  isspace: isOf(new RegExp(`^${SPACES}+$`)),
  isupper: isOf(/^(?=.*\p{Lu})[^\p{Ll}]*$/su),
  islower: isOf(/^(?=.*\p{Ll})[^\p{Lu}]*$/su),
}; // biome-ignore format: one kind a line

/** Filters by their names. */
export const FILTERS: Readonly<Record<string, (...given: unknown[]) => unknown>> = {
  trim: strip,
  capitalize,
  title: titleFilter,
  length,
  count: length,
};

/** The characters of a text, which is looped over one by one. */
export const characters = (value: unknown): string[] => Array.from(text(value));
