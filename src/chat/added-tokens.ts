import { z } from 'zod';

/** @file Tokens that are looked for in the text before anything else is done with it. */

export const addedToken = z.looseObject({
  id: z.int().nonnegative(),
  content: z.string().min(1),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  normalized: z.boolean().optional(),
  special: z.boolean().default(false),
});
export type AddedToken = z.output<typeof addedToken>;

/** Whether a token is looked for in the normalised text, not in the given one. */
export const isNormalized = ({ normalized, special }: AddedToken): boolean => normalized ?? !special;

/** Text between added tokens, or one of them. */
export type Section = { readonly text: string; readonly id?: number; readonly start: number };

type Entry = { readonly token: AddedToken; readonly content: string };

const WORD = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;
const SPACE = /^\p{White_Space}$/u;

/** Finds added tokens in a text: the leftmost, of several the longest. */
export class AddedTokens {
  /** By their first UTF-16 unit, the longest first. */
  readonly #byStart = new Map<string, Entry[]>();

  /** @param entries with the content that is looked for. */
  constructor(entries: readonly Entry[]) {
    for (const entry of entries.filter(({ content }) => content !== '')) {
      const alike = this.#byStart.get(entry.content[0]!) ?? []; // not empty
      alike.push(entry);
      this.#byStart.set(entry.content[0]!, alike);
    }
    for (const alike of this.#byStart.values()) alike.sort((a, b) => b.content.length - a.content.length);
  }

  /** The text in sections; blanks that a token strips are in none of them. */
  split(text: string): Section[] {
    const sections: Section[] = [];
    let from = 0;
    for (const { token, content, index } of this.#found(text)) {
      const end = index + content.length;
      if (token.single_word && isInsideWord(text, index, end)) continue;
      const start = token.lstrip ? Math.max(from, index - blanksBefore(text, index)) : index;
      if (from < start) sections.push({ text: text.slice(from, start), start: from });
      const stop = token.rstrip ? end + blanksBehind(text, end) : end;
      if (start < stop) sections.push({ text: content, id: token.id, start }); // it may have been stripped already
      from = stop;
    }
    if (from < text.length) sections.push({ text: text.slice(from), start: from });
    return sections;
  }

  *#found(text: string): Generator<Entry & { readonly index: number }> {
    for (let index = 0; index < text.length; ) {
      const entry = this.#byStart.get(text[index]!)?.find(({ content }) => text.startsWith(content, index)); // index is inside
      if (entry !== undefined) yield { ...entry, index };
      index += entry?.content.length ?? 1;
    }
  }
}

/** All blanks are one UTF-16 unit long. */
function blanksBefore(text: string, end: number): number {
  let count = 0;
  while (SPACE.test(text.charAt(end - count - 1))) count++;
  return count;
}

function blanksBehind(text: string, start: number): number {
  let count = 0;
  while (SPACE.test(text.charAt(start + count))) count++;
  return count;
}

function isInsideWord(text: string, start: number, end: number): boolean {
  const [before] = Array.from(text.slice(Math.max(0, start - 2), start)).slice(-1);
  const [behind] = Array.from(text.slice(end, end + 2));
  return [before, behind].some((character) => character !== undefined && WORD.test(character));
}
