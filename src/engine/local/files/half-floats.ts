/** @file The two 16-bit floats that model files use: widened to 32 bits without loss, narrowed to the nearest. */

/** bfloat16 is the upper half of a float32. */
export function widenBfloat16(halves: Uint16Array, target: Float32Array): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let at = 0; at < halves.length; at++) bits[at] = halves[at]! << 16;
}

/** IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits. */
export function widenFloat16(halves: Uint16Array, target: Float32Array): void {
  for (let at = 0; at < halves.length; at++) target[at] = FLOAT16[halves[at]!]!; // there is one for each half
}

/** The value of each of the 65,536 binary16 numbers, by its bits. */
export const FLOAT16 = Float32Array.from({ length: 2 ** 16 }, (_, half) => float16(half));

function float16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The bits of the binary16 numbers nearest to float32 numbers, ties to even; beyond 65,504 they are infinite. */
export function narrowFloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const target = new Uint16Array(values.length);
  for (let at = 0; at < bits.length; at++) target[at] = halfOf(bits[at]!); // both are as long
  return target;
}

/** From the bits of a float32. */
function halfOf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const size = bits & 0x7fffffff;
  if (size >= 0x47800000) return sign | (size > 0x7f800000 ? 0x7e00 : 0x7c00);
  if (size >= 0x38800000) return sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13);
  const shift = 126 - (size >>> 23); // subnormal: a multiple of 2^-24
  if (shift > 24) return sign;
  const fraction = (size & 0x7fffff) | 0x800000;
  const below = fraction >>> shift;
  const rest = fraction - below * 2 ** shift;
  const half = 2 ** (shift - 1);
  return sign | (below + (rest > half || (rest === half && (below & 1) === 1) ? 1 : 0));
}
