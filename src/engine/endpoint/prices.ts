import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { InputError } from '../../errors.ts';

/** US dollars per million tokens. */
const price = z.strictObject({
  input: z.number().nonnegative(),
  output: z.number().nonnegative(),
  /** Of a service that trains. */
  train: z.number().nonnegative().optional(),
});
export type Price = z.infer<typeof price>;

const tableSchema = z.strictObject({
  /** When the prices were looked up. */
  date: z.iso.date(),
  /** Where, in words or as an address. */
  source: z.string().min(1),
  /** By the name of the model, or its beginning with `*` behind it: the longest that fits counts. */
  models: z.record(z.string(), price),
});
export type PriceTable = z.infer<typeof tableSchema>;

/** @throws InputError where the file cannot be read or does not hold prices. */
export async function readPrices(path: string): Promise<PriceTable> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new InputError(`${path}: cannot be read; give a price table like prices.json of this package`);
  });
  try {
    return tableSchema.parse(JSON.parse(text));
  } catch (error) {
    const issue = error instanceof z.ZodError ? error.issues[0] : undefined;
    const fault = issue ? `${issue.path.join('.') || 'top level'}: ${issue.message}` : 'is not JSON';
    throw new InputError(`${path}: ${fault}; a price table has date, source, and models with input and output`);
  }
}

/** What a model costs; undefined where the table does not say. */
export function priceOf({ models }: PriceTable, model: string): Price | undefined {
  const fits = Object.keys(models).filter((name) => {
    return name === model || (name.endsWith('*') && model.startsWith(name.slice(0, -1)));
  });
  const [longest] = fits.sort((a, b) => b.length - a.length);
  return longest === undefined ? undefined : models[longest];
}

export type Tokens = { readonly prompt: number; readonly completion: number };

/** US dollars. */
export function costOf({ input, output }: Price, { prompt, completion }: Tokens): number {
  return (prompt * input + completion * output) / 1e6;
}
