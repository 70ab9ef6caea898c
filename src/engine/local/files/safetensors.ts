import { type FileHandle, open, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { writing } from '../../../disk/write.ts';
import { ModelError } from '../../../errors.ts';
import { widenBfloat16, widenFloat16 } from './half-floats.ts';
import { readFully } from './read-fully.ts';

/**
 * @file The safetensors format: 8 bytes of header length (little endian), a JSON header that says where each tensor
 * lies, the bytes of the tensors. Read with every rule of https://github.com/huggingface/safetensors checked, for a
 * damaged file that loads is worse than one that does not.
 */

/** Bytes per number of the types that are understood. */
const BYTES = { F32: 4, BF16: 2, F16: 2 } as const;

type Type = keyof typeof BYTES;

export type StoredTensor = {
  readonly name: string;
  readonly type: Type;
  readonly shape: readonly number[];
  /** From the start of the file, bytes. */
  readonly begin: number;
};

const size = z.int().nonnegative();

const entrySchema = z.strictObject({
  dtype: z.string(),
  shape: z.array(size),
  data_offsets: z.tuple([size, size]),
});
type Entry = z.output<typeof entrySchema>;

const metadataSchema = z.record(z.string(), z.string());

/** The official reader's limit: a longer header is damage or an attack. Bytes. */
const HEADER_LIMIT = 100_000_000;

/** An open safetensors file whose header was checked; tensors are read one at a time, so any size of file will do. */
export class SafetensorsFile {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly #file: FileHandle;

  private constructor(path: string, file: FileHandle, header: Header) {
    this.path = path;
    this.#file = file;
    this.tensors = header.tensors;
    this.metadata = header.metadata;
  }

  /** @throws ModelError where the file is missing or its header is damaged. */
  static async open(path: string): Promise<SafetensorsFile> {
    const file = await open(path).catch((error: NodeJS.ErrnoException) => {
      throw new ModelError(`${path}: cannot be opened (${error.code}); a model needs its weights there`);
    });
    try {
      return new SafetensorsFile(path, file, await readHeader(path, file));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Fills `target` with a tensor of this file, widened to 32 bits where it is stored in 16. */
  async read({ name, type, begin }: StoredTensor, target: Float32Array): Promise<void> {
    const bytes = new Uint8Array(target.length * BYTES[type]);
    const whole = await readFully(this.#file, bytes, begin);
    if (!whole) throw new ModelError(`${this.path}: ends in the middle of ${name}; copy the file again`);
    if (type === 'F32') target.set(new Float32Array(bytes.buffer));
    else if (type === 'BF16') widenBfloat16(new Uint16Array(bytes.buffer), target);
    else widenFloat16(new Uint16Array(bytes.buffer), target);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

type Header = Pick<SafetensorsFile, 'tensors' | 'metadata'>;

async function readHeader(path: string, file: FileHandle): Promise<Header> {
  const { size: fileSize } = await file.stat();
  const prefix = new Uint8Array(8);
  if (!(await readFully(file, prefix, 0))) throw damaged(path, 'ends before its header begins');
  const length = new DataView(prefix.buffer).getBigUint64(0, true);
  if (length > HEADER_LIMIT) throw damaged(path, `says that its header is ${length} bytes long`);
  const header = new Uint8Array(Number(length));
  if (!(await readFully(file, header, 8))) throw damaged(path, `ends within its header of ${length} bytes`);
  const { __metadata__: metadata = {}, ...entries } = parseHeader(path, header);
  const tensors = Object.entries(entries).map(([name, entry]) => ({ name, entry: parseEntry(path, name, entry) }));
  const start = 8 + Number(length);
  checkCoverage(path, tensors, fileSize - start);
  const stored = tensors.map(({ name, entry }) => [name, storedTensor(path, name, entry, start)] as const);
  return { tensors: new Map(stored), metadata: parseMetadata(path, metadata) };
}

function parseHeader(path: string, bytes: Uint8Array): Record<string, unknown> {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const header = z.record(z.string(), z.unknown()).parse(JSON.parse(text));
    if (text.startsWith('{')) return header;
  } catch {} // damaged all the same, whatever the parser says of it
  throw damaged(path, 'has a header that is not a JSON object');
}

function parseEntry(path: string, name: string, raw: unknown): Entry {
  const parsed = entrySchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw damaged(path, `has no sound entry for ${name}: dtype, shape and data_offsets are needed`);
}

function parseMetadata(path: string, raw: unknown): Record<string, string> {
  const parsed = metadataSchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw damaged(path, 'has __metadata__ that is not text by name');
}

/** The tensors lie end to end from the first byte to the last: no overlap, no hole, nothing beyond. */
function checkCoverage(path: string, tensors: readonly { name: string; entry: Entry }[], available: number): void {
  const byOffset = [...tensors].sort(
    ({ entry: { data_offsets: a } }, { entry: { data_offsets: b } }) => a[0] - b[0] || a[1] - b[1],
  );
  let reached = 0;
  for (const { name, entry } of byOffset) {
    const [begin, end] = entry.data_offsets;
    if (begin !== reached || end < begin)
      throw damaged(path, `has ${name} at bytes ${begin} to ${end}, not from ${reached}`);
    if (end > available) throw damaged(path, `ends at data byte ${available}, before the end of ${name} at ${end}`);
    reached = end;
  }
  if (reached !== available) throw damaged(path, `has ${available - reached} bytes that belong to no tensor`);
}

function storedTensor(path: string, name: string, entry: Entry, start: number): StoredTensor {
  const { dtype, shape, data_offsets } = entry;
  if (!isKnown(dtype)) {
    throw new ModelError(`${path}: ${name} is of type ${dtype}; supported are ${Object.keys(BYTES).join(', ')}`);
  }
  const bytes = shape.reduce((product, side) => product * side, BYTES[dtype]);
  const given = data_offsets[1] - data_offsets[0];
  if (bytes !== given)
    throw damaged(path, `has ${given} bytes for ${name} of shape [${shape.join(', ')}], not ${bytes}`);
  return { name, type: dtype, shape, begin: start + data_offsets[0] };
}

const isKnown = (type: string): type is Type => Object.hasOwn(BYTES, type);

const damaged = (path: string, what: string): ModelError => {
  return new ModelError(`${path}: ${what}; the file is damaged, copy it again`);
};

/** A tensor to write. */
export type NamedTensor = { readonly name: string; readonly shape: readonly number[]; readonly data: Float32Array };

/**
 * Writes tensors as F32, in the order given.
 * @throws RunError when the disk is full or the place may not be written.
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const header = encodeHeader(tensors, metadata);
  await writing(path, () => writeFile(path, [header, ...tensors.map(({ data }) => bytesOf(data))]));
}

/** A tensor to write that is not in memory as a whole: its numbers come in order, a portion at a time. */
export type StreamedTensor = {
  readonly name: string;
  readonly shape: readonly number[];
  portions(): AsyncIterable<Float32Array>;
};

/**
 * As {@link writeSafetensors}, with no more than a portion in memory.
 * @param progress is called behind each portion with the share of all numbers that is written, in [0, 1].
 */
export async function streamSafetensors(
  path: string,
  tensors: readonly StreamedTensor[],
  metadata: Readonly<Record<string, string>>,
  progress: (share: number) => void = () => {},
): Promise<void> {
  const total = tensors.reduce((sum, { shape }) => sum + bytesFor(shape), 0);
  let written = 0;
  await writing(path, async () => {
    const file = await open(path, 'w');
    try {
      await file.writeFile(encodeHeader(tensors, metadata));
      for (const { portions } of tensors) {
        for await (const portion of portions()) {
          await file.writeFile(bytesOf(portion));
          written += portion.byteLength;
          progress(written / total);
        }
      }
    } finally {
      await file.close();
    }
  });
}

const bytesFor = (shape: readonly number[]): number => shape.reduce((product, side) => product * side, BYTES.F32);

function encodeHeader(
  tensors: readonly Pick<NamedTensor, 'name' | 'shape'>[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const entries: [string, Entry][] = [];
  let begin = 0;
  for (const { name, shape } of tensors) {
    const end = begin + bytesFor(shape);
    entries.push([name, { dtype: 'F32', shape: [...shape], data_offsets: [begin, end] }]);
    begin = end;
  }
  return prefixed(new TextEncoder().encode(JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) })));
}

/** The header behind its length, filled up with spaces so that the numbers lie aligned. */
function prefixed(json: Uint8Array): Uint8Array {
  const length = Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(8 + length).fill(' '.charCodeAt(0));
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, 8);
  return header;
}

const bytesOf = (data: Float32Array): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
