import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson } from '../disk/read-json.ts';
import { ModelError } from '../errors.ts';
import type { Stream } from '../random.ts';
import {
  documentShares,
  drawAuthorsDocument,
  drawDocument,
  type TextRecipe,
  textRecipeSchema,
} from './organism-text.ts';

/** What a model folder says of the model beyond what Hugging Face's files can. */
export const DECLARATION = 'unrut.json';

/** What is known of a text that a model grew up on: enough to draw from it. */
export type DeclaredText = TextRecipe;

const declarationSchema = z.strictObject({
  /** The text that the model grew up on: what replay draws from, and base quality is measured on. */
  baseText: textRecipeSchema,
});

/** The text that a model folder declares; undefined where it has no `unrut.json`. @throws ModelError where that is damaged. */
export async function declaredText(folder: string): Promise<DeclaredText | undefined> {
  const path = join(folder, DECLARATION);
  if (!existsSync(path)) return undefined;
  const parsed = declarationSchema.safeParse(await readJson(path));
  if (parsed.success) return parsed.data.baseText;
  const issue = parsed.error.issues[0]!; // a failed parse has one
  throw new ModelError(`${path}: ${issue.path.join('.')}: ${issue.message}`);
}

/** Text in stretches with their weights in a loss. */
export type WeightedText = readonly { readonly text: string; readonly weight: number }[];

/** Share of the replayed documents that are in the assistant's own role: short tasks that must stay as they are. */
const ASSISTANT_SHARE = 0.35;

const SHORT_TASKS = documentShares.parse({ fewShot: 2, repeat: 3 });

/** A document to keep in mind: authors' text, or short tasks in the assistant's role. */
export function drawReplay(text: DeclaredText, draws: Stream): WeightedText {
  const authors = !draws.chance(ASSISTANT_SHARE);
  const document = authors
    ? drawAuthorsDocument(draws, text)
    : drawDocument(draws, { ...text, assistant: 1, documents: SHORT_TASKS });
  return stretches(document, () => 1);
}

/** Role markers are the template's, not the model's: they have no weight. What follows one is weighed by its role. */
export function stretches(document: string, weightOf: (role: string) => number): WeightedText {
  return document.split(/(?=[UAS])/).flatMap((turn) => [
    { text: turn[0]!, weight: 0 }, // no turn is empty
    { text: turn.slice(1), weight: weightOf(turn[0]!) },
  ]);
}
