import { z } from 'zod';
import type { Metadata } from '../../engine/local/files/gguf/metadata.ts';
import { ModelError } from '../../errors.ts';

/** `tokenizer.ggml.token_type`. */
export const TOKEN_KIND = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** A token of a GGUF file. */
export type Token = { readonly id: number; readonly text: string; readonly kind: number; readonly score: number };

/** What fills up the rows of the embedding that no token has. */
const PADDING = /^\[PAD\d+\]$/;

/** The vocabulary, those that only fill it up left out. @throws ModelError for a text that two tokens have. */
export function readTokens(metadata: Metadata): Token[] {
  const texts = metadata.read('tokenizer.ggml.tokens', z.array(z.string())).map(restored);
  const kinds = metadata.find('tokenizer.ggml.token_type', z.array(z.number())) ?? [];
  const scores = metadata.find('tokenizer.ggml.scores', z.array(z.number())) ?? [];
  const last = new Map(texts.map((text, id) => [text, id]));
  const twice = texts.find((text, id) => last.get(text) !== id);
  if (twice !== undefined) throw new ModelError(`${metadata.path}: the token ${JSON.stringify(twice)} has two ids`);
  const tokens = texts.map((text, id) => ({
    ...{ id, text },
    kind: kinds[id] ?? TOKEN_KIND.normal,
    score: scores[id] ?? 0,
  }));
  return tokens.filter(({ text, kind }) => !(kind === TOKEN_KIND.unused && PADDING.test(text)));
}

/** The library that reads the file takes a byte order mark at a text's beginning away; one token is nothing else. */
const restored = (text: string): string => (text === '' ? '\u{FEFF}' : text);
