import { InputError } from '../errors.ts';

/** The arithmetic mean. @throws InputError on no values. */
export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new InputError('mean: no values; give at least one');
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
