import { InputError } from '../errors.ts';
import type { Place } from './chat-template.ts';

/** @file Where a text stands among tokens. */

/** Token positions, `end` exclusive. */
export type Span = { readonly start: number; readonly end: number };

/**
 * The end of each token in `text`, in UTF-16 units. Tokenizers that write a blank in front of a text show it in the
 * piece although the text has none.
 * @throws InputError where the tokens spell another text, as normalizers make them do.
 */
export function tokenEnds(pieces: readonly string[], text: string): number[] {
  let at = 0;
  return pieces.map((piece) => {
    const written = text.startsWith(piece, at) ? piece : piece.replace(/^ /, '');
    if (!text.startsWith(written, at)) throw respelled(text, at);
    at += written.length;
    return at;
  });
}

/**
 * The tokens that a place covers. A token may reach over its ends, but only over blanks.
 * @throws InputError naming the turn that shares a token with other words.
 */
export function spanOf({ start, end }: Place, ends: readonly number[], text: string, turn: number): Span {
  const first = ends.findIndex((one) => one > start);
  const from = first < 0 ? ends.length : first;
  if (start === end) return { start: from, end: from };
  const to = ends.findIndex((one) => one >= end);
  const outside = text.slice(ends[from - 1] ?? 0, start) + text.slice(end, ends[to]);
  if (outside.trim() !== '') throw shared(outside.trim(), turn);
  return { start: from, end: to + 1 };
}

function respelled(text: string, at: number): InputError {
  const shown = JSON.stringify(text.slice(at, at + 20));
  return new InputError(`the tokenizer spells ${shown} otherwise than it is written; its tokens cannot be told apart`);
}

function shared(words: string, turn: number): InputError {
  const shown = JSON.stringify(words);
  return new InputError(`the text of turn ${turn + 1} shares a token with the template's ${shown}`);
}
