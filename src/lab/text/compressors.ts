import { spawnSync } from 'node:child_process';
import zlib from 'node:zlib';

/** Size in bytes of a compressed text; undefined where the program is not there. */
export type Compressor = { readonly name: string; size(bytes: Uint8Array): number | undefined };

const brotli = { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_LGWIN]: 24 };

/** Zstandard came to Node with 22.15. */
const zstd: ((bytes: Uint8Array) => Uint8Array) | undefined = Reflect.get(zlib, 'zstdCompressSync');

/** Those of Node, and those of the system where they are installed. */
export const compressors: readonly Compressor[] = [
  { name: 'gzip -9', size: (bytes) => zlib.gzipSync(bytes, { level: 9 }).length },
  { name: 'brotli -11', size: (bytes) => zlib.brotliCompressSync(bytes, { params: brotli }).length },
  { name: 'zstd', size: (bytes) => zstd?.(bytes).length ?? piped('zstd', ['-19', '-c'], bytes) },
  { name: 'xz -9e', size: (bytes) => piped('xz', ['-9e', '-c'], bytes) },
  { name: 'bzip2 -9', size: (bytes) => piped('bzip2', ['-9', '-c'], bytes) },
];

function piped(program: string, words: readonly string[], input: Uint8Array): number | undefined {
  const { status, stdout } = spawnSync(program, words, { input, maxBuffer: 2 ** 30 });
  return status === 0 ? stdout.length : undefined;
}
