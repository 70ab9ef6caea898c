import { type FileHandle, open } from 'node:fs/promises';
import * as zlib from 'node:zlib';
import { decompress } from 'fzstd';
import { fromRandomAccessReaderPromise, getFileNameLowLevel, type Entry as ZipEntry } from 'yauzl';
import { RunError } from '../../errors.ts';
import { BlockReader } from './block-reader.ts';
import type { LogEntries } from './log-entries.ts';

/** Where an entry stands, without all that a zip library keeps of it: a log may have 10^5. */
type Place = Pick<ZipEntry, 'relativeOffsetOfLocalHeader' | 'compressedSize' | 'uncompressedSize' | 'crc32'> & {
  readonly method: number;
};

/** A conversation is never this long; what claims to be is damaged, or meant to fill the memory. */
const LARGEST = 2 ** 29;

/** By the zip format's number (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.4.5). */
const METHODS: Readonly<Record<number, (bytes: Buffer, size: number) => Uint8Array>> = {
  0: (bytes) => bytes,
  8: (bytes, size) => zlib.inflateRawSync(bytes, { maxOutputLength: Math.max(1, size) }),
  93: (bytes, size) => decompress(bytes, new Uint8Array(size)),
};

const LOCAL_HEADER = 30;

/** The entries of a zip, read one by one by its central directory: stored, deflated or Zstandard. */
export class ZipEntries implements LogEntries {
  readonly names: readonly string[];
  readonly #places: ReadonlyMap<string, Place>;
  readonly #file: FileHandle;

  private constructor(places: ReadonlyMap<string, Place>, file: FileHandle) {
    this.names = [...places.keys()];
    this.#places = places;
    this.#file = file;
  }

  /** @throws RunError where the file is no zip, or its directory is damaged. */
  static async open(path: string): Promise<ZipEntries> {
    try {
      return new ZipEntries(await readPlaces(path), await open(path));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new RunError(`${path}: not a zip that can be read (${why}); give a whole .eval file`);
    }
  }

  async text(name: string): Promise<string> {
    return new TextDecoder('utf-8', { fatal: true }).decode(await this.#bytes(name));
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #bytes(name: string): Promise<Uint8Array> {
    const place = this.#places.get(name);
    if (!place) throw new RunError('no such entry');
    const decode = METHODS[place.method];
    if (!decode) throw new RunError(`compression method ${place.method} is not known`);
    if (place.uncompressedSize > LARGEST) throw new RunError(`claims ${place.uncompressedSize} bytes`);
    const bytes = decode(await this.#raw(place), place.uncompressedSize);
    checkSum(bytes, place);
    return bytes;
  }

  /** As it stands in the file. Its local header has a length of its own. */
  async #raw({ relativeOffsetOfLocalHeader: offset, compressedSize }: Place): Promise<Buffer> {
    const header = await this.#read(offset, LOCAL_HEADER);
    const start = offset + LOCAL_HEADER + header.readUInt16LE(26) + header.readUInt16LE(28);
    return this.#read(start, compressedSize);
  }

  async #read(position: number, length: number): Promise<Buffer> {
    if (length > LARGEST) throw new RunError(`claims ${length} bytes`);
    const { buffer, bytesRead } = await this.#file.read(Buffer.alloc(length), 0, length, position);
    if (bytesRead < length) throw new RunError('the file ends too early');
    return buffer;
  }
}

/** Names are only looked up, never used as paths, so any will do; of two of the same name the later one counts. */
async function readPlaces(path: string): Promise<Map<string, Place>> {
  const { reader, size } = await BlockReader.open(path);
  const options = { lazyEntries: true, decodeStrings: false, autoClose: true };
  const zip = await fromRandomAccessReaderPromise(reader, size, options).catch((error) => {
    reader.close(() => {}); // no zip took it over
    throw error;
  });
  const places = new Map<string, Place>();
  for await (const entry of zip.eachEntry()) {
    const { generalPurposeBitFlag, fileNameRaw, extraFields, compressionMethod: method } = entry;
    const { relativeOffsetOfLocalHeader, compressedSize, uncompressedSize, crc32 } = entry;
    const name = getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, false);
    places.set(name, { relativeOffsetOfLocalHeader, compressedSize, uncompressedSize, crc32, method });
  }
  return places;
}

/** Node before 20.15 has no CRC; there damage is found by the decoder or the JSON parser, or not. */
function checkSum(bytes: Uint8Array, { uncompressedSize, crc32 }: Place): void {
  if (bytes.length !== uncompressedSize) throw new RunError('is shorter than it should be');
  if (zlib.crc32 && zlib.crc32(bytes) !== crc32) throw new RunError('its check sum is wrong');
}
