import { type FileHandle, open } from 'node:fs/promises';
import { GGMLQuantizationType, type GGUFTensorInfo, gguf } from '@huggingface/gguf';
import { ModelError } from '../../../../errors.ts';
import { readFully } from '../read-fully.ts';
import { BLOCK_FORMATS, type BlockFormat } from './dequantise.ts';
import { Metadata, wholeNumber } from './metadata.ts';

/** A tensor of a GGUF file: rows of `width` numbers. A vector is one row. */
export type GgufTensor = {
  readonly name: string;
  readonly format: BlockFormat;
  /** As Hugging Face writes it: rows first. */
  readonly shape: readonly number[];
  readonly rows: number;
  readonly width: number;
  /** Byte of the file at which it begins. */
  readonly begin: number;
};

/** An open GGUF file, the format of llama.cpp; tensors are read a few rows at a time, so any size of file will do. */
export class GgufFile {
  readonly metadata: Metadata;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  readonly #file: FileHandle;

  private constructor(metadata: Metadata, tensors: readonly GgufTensor[], file: FileHandle) {
    this.metadata = metadata;
    this.tensors = new Map(tensors.map((tensor) => [tensor.name, tensor]));
    this.#file = file;
  }

  /** @throws ModelError where the file is missing, damaged, one of several parts, or in a format that is not known. */
  static async open(path: string): Promise<GgufFile> {
    const file = await open(path).catch((error: NodeJS.ErrnoException) => {
      throw new ModelError(`${path}: cannot be opened (${error.code}); name a GGUF file`);
    });
    try {
      const { metadata, tensorInfos, tensorDataOffset, littleEndian } = await parse(path);
      if (!littleEndian) throw new ModelError(`${path}: is written for big-endian machines; take the usual file`);
      const about = new Metadata(path, { ...metadata });
      checkWhole(about);
      const tensors = tensorInfos.map((info) => describe(path, info, Number(tensorDataOffset)));
      await checkLength(path, file, tensors);
      return new GgufFile(about, tensors, file);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Rows `from` to `from + rows` of a tensor, dequantised. */
  async read({ name, format, width, begin }: GgufTensor, from: number, rows: number): Promise<Float32Array> {
    const rowBytes = (width / format.weights) * format.bytes;
    const blocks = new Uint8Array(rows * rowBytes);
    if (!(await readFully(this.#file, blocks, begin + from * rowBytes))) {
      throw new ModelError(`${this.metadata.path}: ends in the middle of ${name}; copy the file again`);
    }
    const target = new Float32Array(rows * width);
    format.decode(blocks, target);
    return target;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** The library's own limits keep a damaged file from asking for all of the memory. */
async function parse(path: string) {
  try {
    return await gguf(path, { allowLocalFile: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new ModelError(`${path}: cannot be read as GGUF: ${reason}`);
  }
}

function checkWhole(metadata: Metadata): void {
  const parts = metadata.find('split.count', wholeNumber) ?? 0;
  if (parts <= 1) return;
  throw new ModelError(
    `${metadata.path}: is one of ${parts} parts; put them together first (llama-gguf-split --merge FIRST-PART WHOLE)`,
  );
}

function describe(path: string, { name, shape, dtype, offset }: GGUFTensorInfo, data: number): GgufTensor {
  const format = BLOCK_FORMATS.get(dtype);
  if (format === undefined) {
    const known = [...BLOCK_FORMATS.values()].map((one) => one.name).join(', ');
    throw new ModelError(
      `${path}: ${name} is of type ${GGMLQuantizationType[dtype] ?? dtype}; supported are ${known}. ` +
        `Take another quantisation of the model`,
    );
  }
  const [width = 1, ...outer] = shape.map(Number);
  if (width % format.weights !== 0) {
    throw new ModelError(`${path}: ${name} has rows of ${width}, not a multiple of ${format.weights} (${format.name})`);
  }
  const rows = outer.reduce((product, size) => product * size, 1);
  return { name, format, shape: [...outer.reverse(), width], rows, width, begin: data + Number(offset) };
}

/** Before anything is written. */
async function checkLength(path: string, file: FileHandle, tensors: readonly GgufTensor[]): Promise<void> {
  const { size } = await file.stat();
  for (const { name, format, rows, width, begin } of tensors) {
    const end = begin + ((rows * width) / format.weights) * format.bytes;
    if (end > size) throw new ModelError(`${path}: ends before the end of ${name}; copy the file again`);
  }
}
