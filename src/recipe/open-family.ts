import { resolve } from 'node:path';
import { InputError } from '../errors.ts';
import { DEFAULT_FAMILY, type FamilyEntry, openFamily } from '../problems/families.ts';
import { readOwnProblems } from '../problems/own-problems.ts';
import { trainableProblems } from '../problems/own-training.ts';
import type { ProblemFamily } from '../problems/problem-family.ts';
import { runningSumFamily } from '../problems/running-sum-family.ts';
import { stream } from '../random.ts';
import { REPLY_TOKENS } from '../stages/ordinary-replies.ts';
import { type Sizes, sizesOf } from '../stages/sizes.ts';
import { encodeDocument } from '../texts/base-text.ts';
import { drawReplay } from '../texts/replay-text.ts';
import type { TrainingFamily } from '../wrong-turns/draw-start.ts';
import type { FamilyChoice } from './family-choice.ts';
import type { ModelText } from './run-parts.ts';

/** What a run trains and measures on, where it is opened. */
export type FamilySetting = {
  readonly families: readonly FamilyEntry[];
  /** The recipe's folder. */
  readonly folder: string;
};

/**
 * The family that a recipe names; where it names none, the organism's own for a model that declares the organism's text,
 * and the default one for any other.
 * @throws InputError where there is no such family, dial or file.
 */
export async function openRecipeFamily(
  choice: FamilyChoice | undefined,
  { baseText }: Pick<ModelText, 'baseText'>,
  { families, folder }: FamilySetting,
): Promise<ProblemFamily<unknown>> {
  const chosen = choice === undefined ? usualFamily(baseText) : typeof choice === 'object' ? choice : plain(choice);
  if ('name' in chosen) return openFamily(chosen.name, chosen.dials, families);
  const path = resolve(folder, chosen.file);
  return trainableProblems(path, await readOwnProblems(path), chosen.replyTokens) as ProblemFamily<unknown>; // its own problems
}

/** What a model knows by the text that it declares; any other model is asked in words. */
export function usualFamily(baseText: ModelText['baseText']): { name: string; dials: Record<string, unknown> } {
  if (baseText === undefined) return { name: DEFAULT_FAMILY, dials: {} };
  if ('dictionarySum' in baseText) return { name: 'dictionary-sum', dials: baseText.dictionarySum };
  return { name: runningSumFamily.name, dials: {} };
}

const plain = (text: string) =>
  text.endsWith('.jsonl') ? { file: text, replyTokens: undefined } : { name: text, dials: {} };

/** @throws InputError where the family has no problems to train on. */
export function trainingSide(family: ProblemFamily<unknown>): TrainingFamily {
  if (trains(family)) return family;
  throw new InputError(`${family.name}: has no drawTraining, so it measures but does not train; give it one`);
}

const trains = (family: ProblemFamily<unknown>): family is TrainingFamily => family.drawTraining !== undefined;

/** Texts looked at for the size of a replayed one. */
const DOCUMENTS = 64;

/** Tokens of a run's texts. */
export function runSizes(family: ProblemFamily<unknown>, { format, baseText }: ModelText): Sizes {
  return sizesOf(
    () => trainingSide(family),
    format,
    () => replayTokens({ format, baseText }),
  );
}

function replayTokens({ format, baseText }: ModelText): number {
  if (baseText === undefined) return REPLY_TOKENS;
  const draws = stream(0, 'size', 'replay');
  const lengths = Array.from({ length: DOCUMENTS }, () => {
    return encodeDocument(drawReplay(baseText, draws), format.encode).tokens.length;
  });
  return lengths.reduce((sum, length) => sum + length, 0) / DOCUMENTS;
} // biome-ignore format: one line a statement
