import { WireError } from '../../errors.ts';
import { exact } from './schema.ts';

/** @file Arrays of numbers as the bytes that carry them: little-endian, as every machine that Node runs on has them. */

export const float32 = {
  bytes: (values: ArrayLike<number>): Uint8Array => bytesOf(Float32Array.from(values)),
  /** @throws WireError naming the field, where the bytes are no whole number of values. */
  values: (bytes: Uint8Array, field: string): Float32Array => new Float32Array(whole(bytes, 4, field)),
};

export const int32 = {
  bytes: (values: ArrayLike<number>): Uint8Array => bytesOf(Int32Array.from(values)),
  values: (bytes: Uint8Array, field: string): Int32Array => new Int32Array(whole(bytes, 4, field)),
};

export const int64 = {
  bytes: (values: ArrayLike<number>): Uint8Array => bytesOf(BigInt64Array.from(Array.from(values, BigInt))),
  /** @throws WireError also where a number does not hold a value exactly. */
  values: (bytes: Uint8Array, field: string): number[] => {
    return Array.from(new BigInt64Array(whole(bytes, 8, field)), (value) => exact(value, field));
  },
};

/** The upper half of a float32. */
export const bfloat16 = {
  values: (bytes: Uint8Array, field: string): Float32Array => {
    const halves = new Uint16Array(whole(bytes, 2, field));
    return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
  },
};

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array => {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength); // made here, never shared
};

/** A copy, because a part of a message seldom begins where an array may begin. */
function whole(bytes: Uint8Array, size: number, field: string): ArrayBuffer {
  if (bytes.length % size === 0) return new Uint8Array(bytes).buffer;
  throw new WireError(`${field}: ${bytes.length} bytes are no whole number of values of ${size}`);
}
