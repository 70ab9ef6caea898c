import { z } from 'zod';
import { ModelError } from '../../../../errors.ts';

/** What a GGUF file says of a model, by key. */
export class Metadata {
  readonly path: string;
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(path: string, values: Readonly<Record<string, unknown>>) {
    this.path = path;
    this.#values = values;
  }

  /** @throws ModelError naming the key where it is absent or of another form. */
  read<Value>(key: string, form: z.ZodType<Value>): Value {
    const value = this.find(key, form);
    if (value !== undefined) return value;
    throw new ModelError(`${this.path}: ${key} is missing; the file does not hold a whole model`);
  }

  /** Undefined where the key is absent. @throws ModelError where its value is of another form. */
  find<Value>(key: string, form: z.ZodType<Value>): Value | undefined {
    const value = this.#values[key];
    if (value === undefined) return undefined;
    const parsed = form.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new ModelError(`${this.path}: ${key}: ${parsed.error.issues[0]?.message ?? 'is of another form'}`);
  }
}

/** A whole number, which files write in 32 or in 64 bits. */
export const wholeNumber = z.union([z.int(), z.bigint().transform(Number)]);

/**
 * A float32 as the shortest decimal that means the same float32: 1e-5, not 9.999999747378752e-6, which is what the
 * number was before the file rounded it.
 */
export const float32 = z.number().transform((value) => {
  for (let digits = 1; digits < 9; digits++) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) return shorter;
  }
  return value;
});
