import type { Choice, SpokenToken } from './choice.ts';

/** A choice token by token, the last one cut where the text is. */
export function* piecesOf({ text, tokens }: Choice): Generator<{ content: string; start: number; token: SpokenToken }> {
  let start = 0;
  for (const token of tokens) {
    const end = Math.min(start + token.piece.length, text.length);
    yield { content: text.slice(start, end), start, token };
    start = end;
  }
}
