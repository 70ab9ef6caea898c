import { resolve } from 'node:path';
import { InputError } from '../errors.ts';
import { DEFAULT_FAMILY, type FamilyEntry, openFamily } from '../problems/families.ts';
import { mixedFamily } from '../problems/mixed-family.ts';
import { readOwnProblems } from '../problems/own-problems.ts';
import { trainableProblems } from '../problems/own-training.ts';
import type { ProblemFamily } from '../problems/problem-family.ts';
import { runningSumFamily } from '../problems/running-sum-family.ts';
import { stream } from '../random.ts';
import { REPLY_TOKENS } from '../stages/ordinary-replies.ts';
import { MeasuredSizes, type Sizes } from '../stages/sizes.ts';
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
  const usual = usualFamily(baseText);
  const open = (one: OneFamily) => openOne(one, usual, { families, folder });
  if (choice === undefined) return open(usual);
  if (typeof choice === 'string') return open(choice.endsWith('.jsonl') ? { file: choice } : { name: choice });
  if (!Array.isArray(choice)) return open(choice);
  const parts = await Promise.all(choice.map(async ({ share, ...one }) => ({ family: await open(one), share })));
  return mixedFamily(parts) as ProblemFamily<unknown>; // of problems that it draws itself
}

type OneFamily = Exclude<FamilyChoice, string | readonly unknown[]>;

/** A family that is named without dials has those of the model's own, where it is the model's own. */
async function openOne(one: OneFamily, usual: Usual, { families, folder }: FamilySetting): Promise<ProblemFamily<unknown>> {
  if ('name' in one) {
    return openFamily(one.name, one.dials ?? (one.name === usual.name ? usual.dials : {}), families);
  }
  const path = resolve(folder, one.file);
  return trainableProblems(path, await readOwnProblems(path), one.replyTokens) as ProblemFamily<unknown>; // its own problems
} // biome-ignore format: one line a statement

type Usual = { readonly name: string; readonly dials: Record<string, unknown> };

/** What a model knows by the text that it declares; any other model is asked in words. */
export function usualFamily(baseText: ModelText['baseText']): Usual {
  if (baseText === undefined) return { name: DEFAULT_FAMILY, dials: {} };
  if ('dictionarySum' in baseText) return { name: 'dictionary-sum', dials: baseText.dictionarySum };
  return { name: runningSumFamily.name, dials: {} };
}

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
  return new MeasuredSizes(
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
