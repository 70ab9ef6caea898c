import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/** The organism's own text is what `pretrain` is for; it comes through `texts/`. */
const NOTATION = /from '[^']*\/(?:running-sum|organism-)[^']*'/;

it('no stage knows the notation of one family', () => {
  const folder = new URL('../../src/stages/', import.meta.url);
  const speaking = readdirSync(folder).filter((file) => NOTATION.test(readFileSync(new URL(file, folder), 'utf8')));
  expect(speaking).toEqual([]);
});

it('no wrong turn does, either', () => {
  const folder = new URL('../../src/wrong-turns/', import.meta.url);
  const speaking = readdirSync(folder).filter((file) => NOTATION.test(readFileSync(new URL(file, folder), 'utf8')));
  expect(speaking).toEqual([]);
});
