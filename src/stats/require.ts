import { InputError } from '../errors.ts';

/** @throws InputError naming the first value that is not a number. Infinities pass: they have an order. */
export function requireNumbers(what: string, values: ArrayLike<number>): void {
  for (let index = 0; index < values.length; index++) {
    if (Number.isNaN(values[index])) throw new InputError(`${what}[${index}]: is NaN; leave out what was not measured`);
  }
}

/** @throws InputError unless the value lies in [0, 1]. */
export function requireShare(what: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new InputError(`${what} ${value}: must lie in [0, 1]`);
}

/** @throws InputError unless the value lies in (0, 1). */
export function requireInside(what: string, value: number): void {
  if (!(value > 0 && value < 1)) throw new InputError(`${what} ${value}: must lie between 0 and 1`);
}

/** @throws InputError unless the value is a whole number from 0 on. */
export function requireCount(what: string, value: number): void {
  if (!(Number.isSafeInteger(value) && value >= 0))
    throw new InputError(`${what} ${value}: must be a whole number from 0 on`);
}
