/** A tensor in this process's memory, on its way to or from a worker. */
export type HostTensor = {
  readonly type: 'float32' | 'int64' | 'int32' | 'bool';
  readonly data: Float32Array | BigInt64Array | Int32Array | Uint8Array;
  readonly shape: readonly number[];
};

export type Tensors = Readonly<Record<string, HostTensor>>;

export function floats(data: Float32Array, shape: readonly number[] = [data.length]): HostTensor {
  return { type: 'float32', data, shape };
}

/** An int64 tensor of numbers in -2^31, ..., 2^31 - 1. */
export function integers(values: ArrayLike<number>, shape: readonly number[] = [values.length]): HostTensor {
  const data = new BigInt64Array(values.length);
  const words = new Int32Array(data.buffer); // the low half first; a BigInt for each number would cost 20 times more
  for (let at = 0; at < values.length; at++) {
    words[2 * at] = values[at]!;
    words[2 * at + 1] = values[at]! >> 31;
  }
  return { type: 'int64', data, shape };
}

/** The numbers of a float output. */
export const floatsOf = ({ data }: HostTensor): Float32Array => data as Float32Array; // for outputs declared float32
