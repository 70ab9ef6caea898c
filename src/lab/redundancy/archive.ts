import type { LabTable } from '../../results/lab-finding.ts';
import type { Outcome } from '../../stats/outcome.ts';
import { ArithmeticDecoder, ArithmeticEncoder, cumulative } from '../text/arithmetic-coder.ts';
import { compressors } from '../text/compressors.ts';
import { type Corpus, joined } from '../text/corpus.ts';
import { ByteNgram } from '../text/ngram.ts';

const BYTES_A_WEIGHT = 4;

/** Bytes that go through the coder and back: each takes 256 probabilities. */
const CODED = 40_000;

/**
 * Files that anyone could send: whoever decodes has no model yet. A trained model pays for its weights; an n-gram that learns
 * while it codes starts from nothing and pays for nothing.
 */
export function archive({ test }: Corpus, parameters: number, trained: readonly Outcome[]): LabTable {
  const text = joined(test).subarray(0, CODED);
  const coded = encode(text, 5);
  if (!Buffer.from(decode(coded, text.length, 5)).equals(text)) throw new Error('the arithmetic coder did not give its text back');
  const payload = trained.reduce((sum, { numerator }) => sum + numerator, 0) / 8;
  const total = trained.reduce((sum, { denominator }) => sum + denominator, 0);
  const weights = BYTES_A_WEIGHT * parameters;
  const row = (name: string, bytes: number, of: number) => [name, Math.ceil(bytes), (8 * bytes) / of];
  return {
    title: 'Archive: a file that holds all that its reader needs',
    columns: ['method', 'bytes', 'bits/byte'],
    rows: [
      row('5-gram learning while it codes, decoded again bit for bit', coded.length, text.length),
      ...compressors.flatMap(({ name, size }) => {
        const bytes = size(text);
        return bytes === undefined ? [] : [row(name, bytes, text.length)];
      }),
      row(`transformer: ${Math.ceil(payload).toLocaleString('en-US')} bytes of payload and its weights`, payload + weights, total),
    ],
    note: `The first rows hold the first ${text.length.toLocaleString('en-US')} held-out bytes, the last one all ${total.toLocaleString('en-US')}.`,
  };
} // biome-ignore format: a row a line

/** An n-gram that starts from nothing and learns each byte behind the coder. */
export function encode(text: Uint8Array, order: number): Uint8Array {
  const encoder = new ArithmeticEncoder();
  const gram = new ByteNgram(order);
  for (let at = 0; at < text.length; at++) {
    encoder.encode(cumulative(gram.distribution(text, at)), text[at] ?? 0);
    gram.see(text, at);
  }
  return encoder.finish();
}

/** The text of {@link encode}. */
export function decode(coded: Uint8Array, length: number, order: number): Uint8Array {
  const decoder = new ArithmeticDecoder(coded);
  const gram = new ByteNgram(order);
  const text = new Uint8Array(length);
  for (let at = 0; at < length; at++) {
    text[at] = decoder.decode(cumulative(gram.distribution(text, at)));
    gram.see(text, at);
  }
  return text;
}
