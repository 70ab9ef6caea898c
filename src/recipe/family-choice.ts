import { z } from 'zod';

const namedShape = {
  /** One of `unrut problems list`. */
  name: z.string().min(1),
  /** Of its difficulty; absent: those that the model's folder declares, or the usual ones. */
  dials: z.record(z.string(), z.unknown()).optional(),
};

const fileShape = {
  /** A JSONL file of problems; a relative path starts at the recipe's own folder. */
  file: z.string().min(1),
  /** Longest reply. */
  replyTokens: z.int().positive().optional(),
};

/** How often its problems are drawn, against the other families'. */
const share = z.number().positive().default(1);

const partSchema = z.union([z.strictObject({ ...namedShape, share }), z.strictObject({ ...fileShape, share })]);

/** `dictionary-sum`, `mine.jsonl`, `{ name, dials }`, `{ file }`, or several of the last two with shares. */
export const familySchema = z.union([
  z.string().min(1),
  z.strictObject(namedShape),
  z.strictObject(fileShape),
  z.array(partSchema).min(2),
]);

export type FamilyChoice = z.output<typeof familySchema>;
