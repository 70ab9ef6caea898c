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

const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);

/** The bits of the binary16 number nearest to a float32, ties to even; beyond 65,504 it is infinite. */
export function narrowFloat16(value: number): number {
  float[0] = value;
  const bits = floatBits[0]!; // the array has one
  const sign = (bits >>> 16) & 0x8000;
  const size = bits & 0x7fffffff;
  if (size >= 0x47800000) return sign | (size > 0x7f800000 ? 0x7e00 : 0x7c00);
  if (size < 0x38800000) return sign | roundToEven(Math.abs(float[0]!) * 2 ** 24); // subnormal: a multiple of 2^-24
  return sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13);
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return below + (rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? 1 : 0);
}
