import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson } from '../disk/read-json.ts';
import { ModelError } from '../errors.ts';
import { type BaseText, baseTextSchema } from './base-text.ts';

/** What a model folder says of the model beyond what Hugging Face's files can. */
export const DECLARATION = 'unrut.json';

const declarationSchema = z.strictObject({
  /** The text that the model grew up on: what replay draws from, and base quality is measured on. */
  baseText: baseTextSchema,
});

/** The text that a model folder declares; undefined where it has no `unrut.json`. @throws ModelError where that is damaged. */
export async function declaredText(folder: string): Promise<BaseText | undefined> {
  const path = join(folder, DECLARATION);
  if (!existsSync(path)) return undefined;
  const parsed = declarationSchema.safeParse(await readJson(path));
  if (parsed.success) return parsed.data.baseText;
  const issue = parsed.error.issues[0]!; // a failed parse has one
  throw new ModelError(`${path}: ${issue.path.join('.')}: ${issue.message}`);
}
