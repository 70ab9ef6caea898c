import { z } from 'zod';

const namedSchema = z.strictObject({
  /** One of `unrut problems list`. */
  name: z.string().min(1),
  /** Of its difficulty. */
  dials: z.record(z.string(), z.unknown()).default({}),
});

const fileSchema = z.strictObject({
  /** A JSONL file of problems; a relative path starts at the recipe's own folder. */
  file: z.string().min(1),
  /** Longest reply. */
  replyTokens: z.int().positive().optional(),
});

/** `dictionary-sum`, `mine.jsonl`, `{ name, dials }` or `{ file }`. */
export const familySchema = z.union([z.string().min(1), namedSchema, fileSchema]);

export type FamilyChoice = z.output<typeof familySchema>;
