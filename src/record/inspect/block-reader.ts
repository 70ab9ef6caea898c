import { type FileHandle, open } from 'node:fs/promises';
import { RandomAccessReader } from 'yauzl';

const BLOCK = 2 ** 20;

/**
 * Reads a file by blocks for a zip's directory, which is read entry by entry: 10^5 entries would be 2 * 10^5 trips to the
 * disk otherwise.
 */
export class BlockReader extends RandomAccessReader {
  readonly #file: FileHandle;
  #block = Buffer.alloc(0);
  #start = 0;

  private constructor(file: FileHandle) {
    super();
    this.#file = file;
  }

  static async open(path: string): Promise<{ readonly reader: BlockReader; readonly size: number }> {
    const file = await open(path);
    return { reader: new BlockReader(file), size: (await file.stat()).size };
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    this.#fill(position, length).then(() => {
      const from = position - this.#start;
      this.#block.copy(buffer, offset, from, from + length);
      callback(null);
    }, callback);
  }

  override close(callback: (error: Error | null) => void): void {
    this.#file.close().then(() => callback(null), callback);
  }

  async #fill(position: number, length: number): Promise<void> {
    if (position >= this.#start && position + length <= this.#start + this.#block.length) return;
    const block = Buffer.alloc(Math.max(BLOCK, length));
    const { bytesRead } = await this.#file.read(block, 0, block.length, position);
    if (bytesRead < length) throw new Error('the file ends too early');
    this.#block = block.subarray(0, bytesRead);
    this.#start = position;
  }
}
