/** Puts a safetensors file together from parts that need not fit: what a damaged file looks like. */
export type RawEntry = { dtype?: unknown; shape?: unknown; data_offsets?: unknown; [field: string]: unknown };

export type RawFile = { readonly header: Record<string, RawEntry>; readonly data: Uint8Array };

export function parseFile(bytes: Uint8Array): RawFile {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  return { header, data: new Uint8Array(bytes.subarray(8 + length)) };
}

export function joinFile({ header, data }: RawFile): Uint8Array {
  return joinText(JSON.stringify(header), data);
}

/** `length` is what the first eight bytes say of the header. */
export function joinText(header: string, data: Uint8Array, length = BigInt(Buffer.byteLength(header))): Uint8Array {
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(length);
  return Buffer.concat([prefix, Buffer.from(header), data]);
}

/** The same tensors, each number in 16 bits. */
export function narrowed(file: RawFile, dtype: 'BF16' | 'F16'): RawFile {
  const header: Record<string, RawEntry> = {};
  const parts: Uint8Array[] = [];
  let begin = 0;
  for (const [name, { shape, data_offsets }] of Object.entries(file.header)) {
    if (name === '__metadata__') continue;
    const [from, to] = data_offsets as [number, number]; // of a file that was written whole
    const floats = new Float32Array(file.data.slice(from, to).buffer);
    const halves = Uint16Array.from(floats, dtype === 'BF16' ? toBfloat16 : toFloat16);
    parts.push(new Uint8Array(halves.buffer));
    header[name] = { dtype, shape, data_offsets: [begin, begin + halves.byteLength] };
    begin += halves.byteLength;
  }
  return { header, data: Buffer.concat(parts) };
}

/** Cuts the lower half off. */
export function toBfloat16(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0]! >>> 16;
}

/** The nearest half-precision number, found by trying all of one sign: slow, and sure. */
export function toFloat16(value: number): number {
  const size = Math.abs(value);
  let [low, high] = [0, 0x7c00];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (fromFloat16(middle) <= size) low = middle;
    else high = middle;
  }
  return low | (value < 0 || Object.is(value, -0) ? 0x8000 : 0);
}

/** By the definition in IEEE 754, for finite numbers without a sign. */
export function fromFloat16(half: number): number {
  const exponent = half >> 10;
  const fraction = (half & 0x3ff) / 1024;
  return exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15);
}
