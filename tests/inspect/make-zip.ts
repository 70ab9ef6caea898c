import { crc32, deflateRawSync } from 'node:zlib';

const NUMBERS = { stored: 0, deflate: 8, zstd: 93 } as const;

/** A zip as some other program would write it; a text is written as it is, all else as JSON. */
export function zipOf(entries: Readonly<Record<string, unknown>>, packed: keyof typeof NUMBERS): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(entries)) {
    const bytes = Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
    const body = pack[packed](bytes);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(63, 0);
    fields.writeUInt16LE(0x800, 2); // names are UTF-8
    fields.writeUInt16LE(NUMBERS[packed], 4);
    fields.writeUInt32LE(crc32(bytes), 10);
    fields.writeUInt32LE(body.length, 14);
    fields.writeUInt32LE(bytes.length, 18);
    fields.writeUInt16LE(Buffer.byteLength(name), 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), body]);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x3f\x00', 'latin1'), fields, place, Buffer.from(name)]));
    parts.push(local);
    offset += local.length;
  }
  const whole = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(directory.length, 4);
  end.writeUInt16LE(directory.length, 6);
  end.writeUInt32LE(whole.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, whole, Buffer.from('PK\x05\x06'), end]);
}

const pack = {
  stored: (bytes: Buffer) => bytes,
  deflate: (bytes: Buffer) => deflateRawSync(bytes),
  zstd: zstdFrame,
} as const;

/** The smallest Zstandard frame: magic, a window, one raw block (RFC 8878, 3.1.1). */
function zstdFrame(bytes: Buffer): Buffer {
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50]);
  const block = Buffer.alloc(3);
  block.writeUIntLE((bytes.length << 3) | 1, 0, 3);
  return Buffer.concat([head, block, bytes]);
}
