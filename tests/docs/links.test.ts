import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const pages = ['README.md', ...readdirSync(new URL('docs/', root)).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)]; // biome-ignore format: one list

it.each(pages)('%s links to files that are there', (page) => {
  const text = readFileSync(new URL(page, root), 'utf8');
  const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target]) => target!);
  expect(targets.filter((target) => !existsSync(new URL(target, new URL(page, root))))).toEqual([]);
});

it('README leads to every page of docs/', () => {
  const readme = readFileSync(new URL('README.md', root), 'utf8');
  const workInProgress = ['docs/plan.md'];
  expect(pages.slice(1).filter((page) => !readme.includes(page) && !workInProgress.includes(page))).toEqual([]);
});
