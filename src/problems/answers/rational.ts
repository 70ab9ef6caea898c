/** An exact number, in lowest terms; `under` is positive. */
export type Rational = { readonly over: bigint; readonly under: bigint };

/** The fraction in lowest terms; undefined where it is one of nothing. */
export function fraction(over: bigint, under: bigint): Rational | undefined {
  if (under === 0n) return undefined;
  const divisor =
    greatestCommonDivisor(over < 0n ? -over : over, under < 0n ? -under : under) * (under < 0n ? -1n : 1n);
  return { over: over / divisor, under: under / divisor };
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [larger, smaller] = [a, b];
  while (smaller !== 0n) [larger, smaller] = [smaller, larger % smaller];
  return larger;
}

/** `whole`.`decimals` times ten to the `exponent`: digits only, either may be empty. */
export function decimal(whole: string, decimals: string, exponent = 0): Rational {
  const digits = BigInt(`0${whole}${decimals}`);
  const shift = exponent - decimals.length;
  const power = 10n ** BigInt(Math.abs(shift));
  const exact = shift < 0 ? fraction(digits, power) : fraction(digits * power, 1n);
  return exact as Rational; // a power of ten is not zero
}

export const plus = (a: Rational, b: Rational): Rational =>
  fraction(a.over * b.under + b.over * a.under, a.under * b.under) as Rational; // no denominator is zero

export const times = (a: Rational, b: Rational): Rational => fraction(a.over * b.over, a.under * b.under) as Rational; // the same

export const negated = ({ over, under }: Rational): Rational => ({ over: -over, under });

export const equal = (a: Rational, b: Rational): boolean => a.over === b.over && a.under === b.under;

/** The nearest number of JavaScript's. */
export const toNumber = ({ over, under }: Rational): number => Number(over) / Number(under);

/** One spelling for each number: `-3`, `0.25`, and `1/3` where decimals do not end. */
export function spell(value: Rational): string {
  const { over, under } = value;
  if (under === 1n) return String(over);
  const places = decimalPlaces(under);
  return places === undefined ? `${over}/${under}` : inDecimals(value, places);
}

/** With this many decimals, which have to be enough. */
export function inDecimals({ over, under }: Rational, places: number): string {
  if (places === 0) return String(over / under);
  const scaled = (over * 10n ** BigInt(places)) / under;
  const digits = String(scaled < 0n ? -scaled : scaled).padStart(places + 1, '0');
  return `${scaled < 0n ? '-' : ''}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

function decimalPlaces(under: bigint): number | undefined {
  let [rest, twos, fives] = [under, 0, 0];
  for (; rest % 2n === 0n; rest /= 2n) twos++;
  for (; rest % 5n === 0n; rest /= 5n) fives++;
  return rest === 1n ? Math.max(twos, fives) : undefined;
}
