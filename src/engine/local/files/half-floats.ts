/** @file The two 16-bit floats that model files use, widened to 32 bits without loss. */

/** bfloat16 is the upper half of a float32. */
export function widenBfloat16(halves: Uint16Array, target: Float32Array): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let at = 0; at < halves.length; at++) bits[at] = halves[at]! << 16;
}

/** IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits. */
export function widenFloat16(halves: Uint16Array, target: Float32Array): void {
  for (let at = 0; at < halves.length; at++) target[at] = float16(halves[at]!);
}

function float16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
