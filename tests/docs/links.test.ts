import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const pages = ['README.md', ...readdirSync(new URL('docs/', root)).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)]; // biome-ignore format: one list

it.each(pages)('%s links to files that are there', (page) => {
  const text = readFileSync(new URL(page, root), 'utf8');
  const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target]) => target!);
  expect(targets.filter((target) => !existsSync(new URL(target, new URL(page, root))))).toEqual([]);
});

/** What `npm pack` takes; a reader of the installed package has no more. */
const { files } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { files: string[] };
const packed = [...files, 'README.md', 'LICENSE', 'package.json'];

it.each(pages)('%s links to nothing that is not in the package', (page) => {
  const text = readFileSync(new URL(page, root), 'utf8');
  const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(
    ([, target]) => new URL(target!, new URL(page, root)),
  );
  const inside = (target: URL) =>
    packed.some((name) => target.href === `${root}${name}` || target.href.startsWith(`${root}${name}/`));
  expect(targets.filter((target) => !inside(target)).map(String)).toEqual([]);
});

it('README leads to every page of docs/', () => {
  const readme = readFileSync(new URL('README.md', root), 'utf8');
  const workInProgress = ['docs/plan.md'];
  expect(pages.slice(1).filter((page) => !readme.includes(page) && !workInProgress.includes(page))).toEqual([]);
});
