import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { OWN_FIELDS, parseRow } from '../../src/problems/own-row.ts';

const guide = readFileSync(new URL('../../docs/data.md', import.meta.url), 'utf8');

type Convert = (row: unknown, place: number, all: readonly unknown[]) => object;

/** The functions of the page, by name. */
const converters = new Map(
  [...guide.matchAll(/```js convert (\w+)\n([\s\S]*?)```/g)].map(([, name = '', code = '']) => {
    return [name, new Function(`${code}\nreturn ${name};`)() as Convert]; // what the page shows is what is run
  }),
);

/** Rows of the data sets' own form, and what has to become of them. */
const SAMPLES: Readonly<Record<string, { readonly rows: readonly object[]; readonly becomes: object }>> = {
  gsm8k: {
    rows: [{ question: 'How many clips?', answer: 'May: 48/2 = <<48/2=24>>24.\nBoth: 48+24 = 72.\n#### 72' }],
    becomes: { answer: '72', numeric: true, steps: ['May: 48/2 = 24.', 'Both: 48+24 = 72.'] },
  },
  math: {
    rows: [{ problem: 'Find x.', solution: 'So x is $\\boxed{\\frac{3}{4}}$.', answer: '\\frac{3}{4}' }],
    becomes: { answer: '\\frac{3}{4}', numeric: true },
  },
  mmlu: {
    rows: [{ question: 'Which city?', choices: ['London', 'Paris', 'Rome', 'Bonn'], answer: 1 }],
    becomes: { answer: 'B', options: ['London', 'Paris', 'Rome', 'Bonn'] },
  },
  processBench: {
    rows: [{ id: 'gsm8k-0', problem: 'Sue has 3.', steps: ['3 + 1 = 4', '4 + 1 = 6'], label: 1 }],
    becomes: { answer: '', firstWrongStep: 2 },
  },
  bigBenchMistake: {
    rows: [{ input: 'Sort: b a', steps: ['b', 'a b'], target: '(B)', mistake_index: null }],
    becomes: { answer: 'B', firstWrongStep: 'none' },
  },
  lostInConversation: {
    rows: [{ question: 'How many?', answer: 'work #### 9', shards: [{ shard_id: 1, shard: 'How many?' }, { shard_id: 2, shard: 'Sue has 9.' }] }],
    becomes: { answer: '9', shards: ['How many?', 'Sue has 9.'] },
  },
  sycon: {
    rows: [{ question: 'Capital of Australia?', correct: 'Canberra', incorrect: 'Sydney', pressure: ['Sure?', 'I doubt it.'] }],
    becomes: { answer: 'Canberra', wrong: ['Answer: Sydney'], followups: ['Sure?', 'I doubt it.'] },
  },
  functionVectors: {
    rows: ['hot cold', 'big small', 'up down', 'in out', 'old young'].map((pair) => ({ input: pair.split(' ')[0], output: pair.split(' ')[1] })),
    becomes: { answer: 'cold', demonstrations: ['small', 'down', 'out', 'young'].map((answer) => expect.objectContaining({ answer })) },
  },
}; // biome-ignore format: a sample a line

it('shows a function for every data set that is tried here, each in ten lines', () => {
  expect([...converters.keys()]).toEqual(Object.keys(SAMPLES));
  for (const [, code = ''] of guide.matchAll(/```js convert \w+\n([\s\S]*?)```/g)) expect(code.split('\n').length).toBeLessThanOrEqual(11);
}); // biome-ignore format: one claim a line

it.each(Object.entries(SAMPLES))('%s becomes a problem', (name, { rows, becomes }) => {
  const line = JSON.stringify(converters.get(name)?.(rows[0], 0, rows));
  expect(parseRow(line, 'mine.jsonl:1')).toMatchObject(becomes);
});

it('lists every field', () => {
  expect(OWN_FIELDS.filter((field) => !guide.includes(`| \`${field}\` |`))).toEqual([]);
});
