import { describe, expect, it } from 'vitest';
import { copyMeter } from '../../src/lab/copy-meter/copy-meter.ts';
import { gramsOf, longestMatches, novelty, passages } from '../../src/lab/copy-meter/novelty.ts';
import { document, joined, withEnds } from '../../src/lab/text/corpus.ts';
import { generatedDocuments } from '../../src/lab/text/generated.ts';
import { InfinityGram } from '../../src/lab/text/infinity-gram.ts';
import { SuffixArray } from '../../src/lab/text/suffix-array.ts';
import { stream } from '../../src/random.ts';
import { rate } from '../../src/stats/outcome.ts';
import { runLab } from './run.ts';

const train = [document('one', 'the cat sat on the mat. '), document('two', 'a dog ran over the hill and far away. ')];
const index = new SuffixArray(withEnds(train));

describe('the suffix array', () => {
  it('finds the longest match at every place, as a search through all places does', () => {
    const draws = stream(1, 'letters');
    const letters = (count: number) => Buffer.from(Array.from({ length: count }, () => 97 + draws.integer(3)));
    const [text, query] = [letters(300), letters(60)];
    const array = new SuffixArray(text);
    for (let from = 0; from < query.length; from++) {
      let longest = 0;
      while (from + longest < query.length && text.includes(query.subarray(from, from + longest + 1))) longest++;
      const { length, at } = array.longestMatch(query, from);
      expect(length).toBe(longest);
      expect(text.subarray(at, at + length)).toEqual(query.subarray(from, from + length));
    }
  });

  it('counts how often a passage stands in the text', () => {
    const [first, end] = index.range(Buffer.from('the '), 0, 4);
    expect(end - first).toBe(3);
  });
});

describe('copying', () => {
  it('is found where it is, with its document and place', () => {
    const sample = document('sample', 'xx a dog ran over the hill yy');
    expect(passages(index, train, [sample], 10)).toEqual([
      { text: 'a dog ran over the hill ', length: 24, document: 'two', at: 0 },
    ]);
  });

  it('is high in the training text itself and low in new text of the same language', () => {
    const documents = generatedDocuments(60_000, 1);
    const own = new SuffixArray(joined(documents.slice(10)));
    const [copied, fresh] = [longestMatches(own, documents.slice(10, 20)), longestMatches(own, documents.slice(0, 10))];
    expect(rate(copied)).toBeGreaterThan(100);
    expect(rate(fresh)).toBeLessThan(20);
  });

  it('counts word n-grams that are new', () => {
    const known = new Set(train.flatMap(({ bytes }) => gramsOf(bytes, 2)));
    expect(rate(novelty(known, [document('s', 'The cat ran over the moon')], 2))).toBeCloseTo(2 / 5); // cat ran, the moon
  });
});

describe('the search engine', () => {
  it('predicts what followed the longest context, and sums to one', () => {
    const engine = new InfinityGram(joined(train));
    const query = Buffer.from('my dog ran over the ');
    const distribution = engine.distribution(query, query.length);
    expect(distribution.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
    expect(distribution[104]).toBeGreaterThan(0.5); // h
  });
});

const SMALL = {
  largeBytes: 60_000,
  smallBytes: 4000,
  steps: 6,
  taskSteps: 6,
  rows: 4,
  context: 64,
  width: 32,
  layers: 1,
  samples: 8,
  length: 48,
};

it('a model that has learnt nothing is not found to do what no look-up can', async () => {
  const { verdict, finding } = await runLab(copyMeter, SMALL);
  expect(finding.controls).toMatchObject([{ held: true }]);
  expect(finding.comparisons[1]).toMatchObject({ value: 0 });
  expect(verdict).not.toBe('supported');
});
