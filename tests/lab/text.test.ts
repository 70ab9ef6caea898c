import { describe, expect, it } from 'vitest';
import { decode, encode } from '../../src/lab/redundancy/archive.ts';
import { ArithmeticDecoder, ArithmeticEncoder, cumulative } from '../../src/lab/text/arithmetic-coder.ts';
import { overlap, sections } from '../../src/lab/text/corpus.ts';
import { ByteNgram } from '../../src/lab/text/ngram.ts';
import { stream } from '../../src/random.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('the byte n-gram', () => {
  const gram = new ByteNgram(3);
  gram.learn(bytes('abcabcabd'));

  it('gives probabilities that sum to one, after known and unknown contexts', () => {
    for (const text of ['', 'a', 'ab', 'zz', 'abcab']) {
      const sum = gram.distribution(bytes(text), text.length).reduce((a, b) => a + b, 0);
      expect(sum).toBeCloseTo(1, 12);
    }
  });

  it('follows the formula of interpolated absolute discounting', () => {
    const unigram = (count: number) => (count - 0.75 + (0.75 * 4) / 256) / 9;
    const bigram = (2 - 0.75 + 0.75 * 2 * unigram(2)) / 3; // b is followed by c twice and by d once
    const trigram = (2 - 0.75 + 0.75 * 2 * bigram) / 3; // so is ab
    expect(Math.exp(gram.logprobs(bytes('abc'))[2] ?? 0)).toBeCloseTo(trigram, 12);
  });

  it('learns while it reads only where it is asked to', () => {
    const [still, online] = [new ByteNgram(4), new ByteNgram(4, { online: true })];
    const text = bytes('to be or not to be or not to be');
    const sum = (of: ByteNgram) => of.logprobs(text).reduce((a, b) => a + b, 0);
    expect(sum(still)).toBeCloseTo(-text.length * Math.log(256), 6);
    expect(sum(online)).toBeGreaterThan(sum(still));
  });
});

describe('the arithmetic coder', () => {
  it('gives every text back bit for bit, skewed and flat, of any length', () => {
    const draws = stream(1, 'coder');
    for (let round = 0; round < 60; round++) {
      const weights = Array.from({ length: 2 + draws.integer(254) }, () => draws.uniform() ** 8 + 1e-9);
      const total = weights.reduce((a, b) => a + b, 0);
      const sums = cumulative(weights.map((weight) => weight / total));
      const symbols = Array.from({ length: draws.integer(400) }, () => draws.integer(weights.length));
      const encoder = new ArithmeticEncoder();
      for (const symbol of symbols) encoder.encode(sums, symbol);
      const decoder = new ArithmeticDecoder(encoder.finish());
      expect(symbols.map(() => decoder.decode(sums))).toEqual(symbols);
    }
  });

  it('writes as many bits as the model says, within a byte or two', () => {
    const sums = cumulative([0.9, 0.1]);
    const encoder = new ArithmeticEncoder();
    const symbols = Array.from({ length: 4000 }, (_, at) => Number(at % 10 === 0));
    for (const symbol of symbols) encoder.encode(sums, symbol);
    const bits = 400 * Math.log2(10) + 3600 * Math.log2(1 / 0.9);
    expect(Math.abs(8 * encoder.finish().length - bits)).toBeLessThan(24);
  });

  it('holds a text under a model that learns while it codes', () => {
    const text = bytes('She sells sea shells on the sea shore. '.repeat(20));
    const coded = encode(text, 5);
    expect(coded.length).toBeLessThan(text.length / 5);
    expect(decode(coded, text.length, 5)).toEqual(text);
  });
});

describe('a corpus', () => {
  it('is cut before headings, and short pieces join the one before', () => {
    const long = 'word '.repeat(100);
    const cut = sections('a.md', `# One\n${long}\n## Two\nshort\n## Three\n${long}`);
    expect(cut.map(({ name }) => name)).toEqual(['a.md#1', 'a.md#2']);
  });

  it('shows held-out text that stands in the training text', () => {
    const one = { name: 'one', bytes: bytes('The quick brown fox jumps over the lazy dog, and again it jumps.') };
    const other = { name: 'other', bytes: bytes('Sphinx of black quartz, judge my vow; pack my box with jugs.') };
    expect(overlap([one], [one])).toMatchObject({ found: 4, looked: 4 });
    expect(overlap([one], [other])).toMatchObject({ found: 0 });
  });
});
