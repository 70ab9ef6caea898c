import { WireError } from '../../errors.ts';
import { bfloat16, float32, int32, int64 } from './numbers.ts';
import { exact, type Int64, present } from './schema.ts';

/** @file Arrays with a shape, dense or as compressed sparse rows, in protobuf and in JSON. */

export type DType = 'float32' | 'int64' | 'int32' | 'bfloat16';

/** Values in row-major order. */
export type DenseTensor = {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
};

/** A matrix of which only some values are written; the others are 0. */
export type SparseTensor = DenseTensor & {
  /** Where each row's values begin, and where the last row's end: `[rows + 1]`. */
  readonly rowStarts: readonly number[];
  /** The column of each value. */
  readonly columns: readonly number[];
};

export type Tensor = DenseTensor | SparseTensor;

/** In protobuf. */
export type TensorMessage = {
  dense?: Uint8Array;
  sparse_csr?: { values?: Uint8Array; crow_indices?: Uint8Array; col_indices?: Uint8Array };
  dtype?: number;
  shape?: readonly Int64[];
};

/** In JSON. Without a shape it is a list. */
export type TensorData = {
  readonly data: readonly number[];
  readonly dtype: 'int64' | 'float32';
  readonly shape?: readonly number[] | null | undefined;
  readonly sparse_crow_indices?: readonly number[] | null | undefined;
  readonly sparse_col_indices?: readonly number[] | null | undefined;
};

/** By their number in protobuf. */
const DTYPES: readonly (DType | undefined)[] = [undefined, 'float32', 'int64', 'int32', 'bfloat16'];

const NOTHING = new Uint8Array();

export function encodeTensor({ dtype, shape, values, ...sparse }: Tensor): TensorMessage {
  const bytes = encodeValues(dtype, values);
  const rest = { dtype: DTYPES.indexOf(dtype), shape };
  if (!('columns' in sparse)) return { dense: bytes, ...rest };
  const { rowStarts, columns } = sparse as SparseTensor; // what was taken off is what both kinds have
  return {
    sparse_csr: { values: bytes, crow_indices: int64.bytes(rowStarts), col_indices: int64.bytes(columns) },
    ...rest,
  };
}

/** @throws WireError naming `field`, where type, shape and values do not go together. */
export function decodeTensor(message: TensorMessage, field: string): Tensor {
  const dtype = dtypeOf(message.dtype ?? 0, field);
  const shape = (message.shape ?? []).map((size) => sizeOf(size, field));
  const sparse = present(message, 'sparse_csr');
  if (sparse === undefined) {
    return checked({ dtype, shape, values: decodeValues(dtype, message.dense ?? NOTHING, field) }, field);
  }
  const tensor = {
    dtype,
    shape,
    values: decodeValues(dtype, sparse.values ?? NOTHING, field),
    rowStarts: int64.values(sparse.crow_indices ?? NOTHING, field),
    columns: int64.values(sparse.col_indices ?? NOTHING, field),
  };
  return checked(tensor, field);
}

/** @throws WireError as {@link decodeTensor}. */
export function tensorOfData({ data, dtype, ...rest }: TensorData, field: string): Tensor {
  const dense = { dtype, shape: rest.shape ?? [data.length], values: data };
  if (!rest.sparse_crow_indices || !rest.sparse_col_indices) return checked(dense, field);
  const tensor = { ...dense, rowStarts: rest.sparse_crow_indices, columns: rest.sparse_col_indices };
  return checked(tensor, field);
}

/** More values than any batch has; a sparse tensor may claim any shape. */
const MOST_VALUES = 2 ** 25;

/** Every value written out. @throws WireError where that would be more than {@link MOST_VALUES}. */
export function dense(tensor: Tensor, field: string): DenseTensor {
  if (!('columns' in tensor)) return tensor;
  const { dtype, shape, values, rowStarts, columns } = tensor;
  const size = sizeOfShape(shape);
  if (size > MOST_VALUES) throw new WireError(`${field}: ${shape.join(' x ')} values are too many; send fewer data`);
  const all = new Float64Array(size);
  for (let row = 0; row + 1 < rowStarts.length; row++) {
    for (let at = rowStarts[row]!; at < rowStarts[row + 1]!; at++) all[row * shape[1]! + columns[at]!] = values[at]!;
  }
  return { dtype, shape, values: all };
}

export const sizeOfShape = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

export const dtypeNumber = (dtype: DType): number => DTYPES.indexOf(dtype);

export function dtypeOf(number: number, field: string): DType {
  const dtype = DTYPES[number];
  if (dtype !== undefined) return dtype;
  throw new WireError(`${field}: the element type ${number} is unknown; use float32, int64 or int32`);
}

export function encodeValues(dtype: DType, values: ArrayLike<number>): Uint8Array {
  if (dtype === 'bfloat16') throw new WireError('bfloat16 is read and not written; send float32');
  return { float32, int32, int64 }[dtype].bytes(values);
}

export function decodeValues(dtype: DType, bytes: Uint8Array, field: string): ArrayLike<number> {
  return { float32, int32, int64, bfloat16 }[dtype].values(bytes, field);
}

function sizeOf(value: Int64, field: string): number {
  const size = exact(value, field);
  if (size >= 0) return size;
  throw new WireError(`${field}: a side of the shape is ${size}`);
}

function checked(tensor: Tensor, field: string): Tensor {
  if ('columns' in tensor) checkSparse(tensor, field);
  else if (sizeOfShape(tensor.shape) !== tensor.values.length) {
    throw new WireError(`${field}: has ${tensor.values.length} values, not ${tensor.shape.join(' x ')}`);
  }
  return tensor;
}

function checkSparse({ shape, values, rowStarts, columns }: SparseTensor, field: string): void {
  const [rows, width] = shape;
  const refuse = (what: string): never => {
    throw new WireError(`${field}: ${what}; send a matrix in compressed sparse rows`);
  };
  if (shape.length !== 2 || rowStarts.length !== rows! + 1) refuse(`${rowStarts.length} row starts for ${rows} rows`);
  if (columns.length !== values.length) refuse(`${columns.length} columns for ${values.length} values`);
  const rises = rowStarts.every((start, row) => start >= (row === 0 ? 0 : rowStarts[row - 1]!));
  if (!rises || rowStarts[0] !== 0 || rowStarts.at(-1) !== values.length) refuse('the row starts are out of order');
  if (!columns.every((column) => column >= 0 && column < width!)) refuse('a column is outside the shape');
}
