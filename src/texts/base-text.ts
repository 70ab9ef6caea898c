import { z } from 'zod';
import { InputError } from '../errors.ts';
import * as organism from '../problems/organism-text.ts';
import type { Stream } from '../random.ts';
import { drawWordsTurns, wordsTextSchema } from './words-text.ts';

/** @file The text that a shipped model grows up on, whichever of them it is. */

/** A part of a document that one speaker wrote; `template`: markers around what was said, which nobody has to predict. */
export type Passage = { readonly by: 'template' | 'user' | 'author'; readonly text: string };
export type Document = readonly Passage[];

/** What `unrut.json` says of the text: the organism's in letters, or dictionary sums in words. */
export const baseTextSchema = z.union([wordsTextSchema, organism.textRecipeSchema]);
export type BaseText = z.output<typeof baseTextSchema>;

type Shares = {
  readonly documents: Readonly<Record<string, number>>;
  readonly authors: Readonly<Record<string, number>>;
};

/** The text with other shares. @throws InputError naming a kind of document or an author that it does not have. */
export function withShares(text: BaseText, { documents, authors }: Shares): BaseText {
  const schema = 'dictionarySum' in text ? wordsTextSchema : organism.textRecipeSchema;
  const parsed = schema.safeParse({ ...text, documents, authors });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!; // a failed parse has one
  throw new InputError(`curriculum: ${issue.path.join('.')}: ${issue.message}`);
}

/** A document; its author speaks in the assistant's role in a share of them. */
export function drawDocument(draws: Stream, text: BaseText): Document {
  if (!('dictionarySum' in text)) return passagesOf(organism.drawDocument(draws, text));
  const turns = drawWordsTurns(draws, text);
  const speaker = draws.chance(text.assistant) ? 'assistant' : 'author';
  return turns.flatMap(({ role, text: said }): Passage[] => [
    { by: 'template', text: `<|im_start|>${role === 'user' ? role : speaker}\n` },
    { by: role, text: `${said}<|im_end|>` },
    { by: 'template', text: '\n' },
  ]);
}

/** A document in the authors' own role: what base quality is measured on, and what replay keeps. */
export const drawAuthorsDocument = (draws: Stream, text: BaseText): Document =>
  drawDocument(draws, { ...text, assistant: 0 });

/** The organism's role markers are single letters. */
function passagesOf(document: string): Document {
  return document.split(/(?=[UAS])/).flatMap((turn): Passage[] => [
    { by: 'template', text: turn.slice(0, 1) },
    { by: turn.startsWith('U') ? 'user' : 'author', text: turn.slice(1) },
  ]);
}

/** The tokens of a document and who wrote each; passages are put into tokens one by one. */
export function encodeDocument(document: Document, encode: (text: string) => readonly number[]) {
  const passages = document.map(({ by, text }) => ({ by, tokens: encode(text) }));
  return {
    tokens: passages.flatMap(({ tokens }) => tokens),
    by: passages.flatMap(({ by, tokens }) => tokens.map(() => by)),
  };
}
