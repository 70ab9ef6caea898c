import { toRegExp } from 'oniguruma-to-es';
import { z } from 'zod';

/** @file Patterns of `tokenizer.json`: Oniguruma's regular expressions, or text as it is. */

export const pattern = z.union([z.strictObject({ Regex: z.string() }), z.strictObject({ String: z.string() })]);
export type Pattern = z.output<typeof pattern>;

/** A global regular expression of JavaScript. @throws Error naming what has no equal in JavaScript. */
export function compilePattern(given: Pattern): RegExp {
  if ('String' in given) return new RegExp(given.String.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'gv');
  const unsupported = UNSUPPORTED.exec(given.Regex)?.[0];
  if (unsupported !== undefined) throw new Error(`${unsupported} in a regular expression is not supported`);
  return toRegExp(withWordClasses(given.Regex), { global: true, rules: { allowOrphanBackrefs: false } });
}

/** What `oniguruma-to-es` accepts and carries out otherwise than Oniguruma, as a comparison with Python showed. */
const UNSUPPORTED = /\\[GKXbBW]|\\p\{\^|\(\?[im]*m|\(\?[imx-]*i[^)]*[^\0-\x7F]/;

const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}';

/** Oniguruma's words hold some numbers outside of brackets that they do not hold inside. */
function withWordClasses(source: string): string {
  let depth = 0;
  return source.replaceAll(/\\p\{[^}]*\}|\\.|[[\]]/gs, (part) => {
    if (part === '[') depth++;
    if (part === ']') depth = Math.max(0, depth - 1);
    if (part !== '\\w' && part !== '\\p{Word}') return part;
    return depth > 0 ? WORD : `[${WORD}²³¹¼-¾]`;
  });
}

/** A part of a text, and whether a pattern matched it. */
export type Part = { readonly text: string; readonly matched: boolean };

/** A text in parts, matched and not, in their order. A match of nothing cuts, too. */
export function partsOf(text: string, pattern: RegExp): Part[] {
  const parts: Part[] = [];
  let from = 0;
  for (const { 0: found, index } of text.matchAll(pattern)) {
    if (from < index) parts.push({ text: text.slice(from, index), matched: false });
    parts.push({ text: found, matched: true });
    from = index + found.length;
  }
  if (from < text.length) parts.push({ text: text.slice(from), matched: false });
  return parts;
}
