import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ChatFormat } from '../../../src/chat/chat-format.ts';
import { exportModel } from '../../../src/chat/gguf/export-model.ts';
import { importModel } from '../../../src/chat/gguf/import-model.ts';
import { importedTokenizer } from '../../../src/chat/gguf/import-tokenizer.ts';
import { PRE_TOKENIZERS } from '../../../src/chat/gguf/pre-tokenizers.ts';
import { Tokenizer } from '../../../src/chat/tokenizer.ts';
import type { TokenIds } from '../../../src/engine/engine.ts';
import { GgufFile } from '../../../src/engine/local/files/gguf/gguf-file.ts';
import { temporaryFolder } from '../../temporary.ts';
import { greedy } from './greedy.ts';
import { llamaAbsent, llamaIds, llamaReplies } from './llama.ts';

const PYTHON = process.env.UNRUT_PYTHON ?? '.venv/bin/python';
const PEER = fileURLToPath(new URL('peer.py', import.meta.url));

function python(...words: string[]): string {
  return execFileSync(PYTHON, [PEER, ...words], { encoding: 'utf8', maxBuffer: 2 ** 28 });
}

function absence(): string | undefined {
  try {
    execFileSync(PYTHON, ['-c', 'import gguf, tokenizers'], { stdio: 'pipe' });
    return llamaAbsent;
  } catch {
    return `${PYTHON} has no gguf and tokenizers; see tests/peers/gguf/README.md`;
  }
}

const FAMILIES = ['llama', 'llama3', 'linear', 'qwen2', 'qwen3', 'smollm3', 'olmo2', 'phi3', 'gemma3'];

const absent = absence();
if (absent !== undefined) process.stderr.write(`skipped: ${absent}\n`);

describe.skipIf(absent !== undefined)('a GGUF file is to unrut what it is to llama.cpp', () => {
  it.each([2, 3, 4])('the numbers of every format, blocks by seed %i', async (seed) => {
    const folder = temporaryFolder();
    python('formats', folder, String(seed));
    const wanted = new Uint8Array(readFileSync(join(folder, 'formats.f32')));
    const file = await GgufFile.open(join(folder, 'formats.gguf'));
    let at = 0;
    for (const tensor of file.tensors.values()) {
      const found = new Uint8Array((await file.read(tensor, 0, tensor.rows)).buffer);
      expect(Buffer.compare(found, wanted.subarray(at, at + found.length)), tensor.name).toBe(0);
      at += found.length;
    }
    await file.close();
    expect(at).toBe(wanted.length);
  });

  it('the ids of texts, by every rule, and by Python’s tokenizers with the same folder', async () => {
    const folder = temporaryFolder();
    const texts: string[] = JSON.parse(python('texts'));
    writeFileSync(join(folder, 'texts.json'), JSON.stringify(texts));
    const names = [...PRE_TOKENIZERS.keys()];
    python('vocabularies', folder, ...names);
    const wanted = llamaIds(
      texts,
      folder,
      names.map((name) => join(folder, `${name}.gguf`)),
    );
    for (const [index, name] of names.entries()) {
      const place = join(folder, name);
      const tokenizer = await imported(join(folder, `${name}.gguf`), place);
      expect(
        texts.map((text) => tokenizer.encode(text)),
        name,
      ).toEqual(wanted[index]);
      expect(JSON.parse(python('ids', place, join(folder, 'texts.json'))), `${name} in Python`).toEqual(wanted[index]);
    }
    if (process.env.UNRUT_WRITE_FIXTURES) writeFixture('ids.json', { texts, groups: grouped(names, wanted) });
  });

  it('the ids of texts by pieces with scores, with and without a blank in front', async () => {
    const folder = temporaryFolder();
    const texts = [...JSON.parse(python('texts')), '<s>hello</s> world<s> x', 'a<s>b'];
    writeFileSync(join(folder, 'texts.json'), JSON.stringify(texts));
    python('pieces', folder);
    const names = ['pieces-true', 'pieces-false'];
    const paths = names.map((name) => join(folder, `${name}.gguf`));
    const wanted = llamaIds(texts, folder, paths);
    for (const [index, name] of names.entries()) {
      const tokenizer = await imported(paths[index]!, join(folder, name)); // as many
      expect(
        texts.map((text) => tokenizer.encode(text)),
        name,
      ).toEqual(wanted[index]);
      expect(JSON.parse(python('ids', join(folder, name), join(folder, 'texts.json'))), name).toEqual(wanted[index]);
    }
    if (process.env.UNRUT_WRITE_FIXTURES) {
      writeFixture('pieces.json', { texts, prefixed: wanted[0], bare: wanted[1] });
      copyFileSync(paths[0]!, fixture('pieces.gguf'));
    }
  });

  it.each(FAMILIES)('a small %s: the likeliest reply is llama.cpp’s', async (name) => {
    const scratch = temporaryFolder();
    const [file, folder] = [join(scratch, `${name}.gguf`), join(scratch, name)];
    python('family', scratch, name);
    await importModel(file, folder, () => {});
    const prompt = (await ChatFormat.open(folder)).encode('Hello world, 12 x² don’t CamelCase naïve 日本語 and on.');
    const own = await greedy(folder, prompt, 40);
    const [theirs] = llamaReplies(prompt, 40, scratch, [file]);
    expect(theirs!.said.length).toBeGreaterThan(8);
    expect(own.slice(0, theirs!.said.length)).toEqual(theirs!.said); // llama.cpp leaves the end out
  });

  it('what was exported, to its Python reader and to its sampler', async () => {
    const scratch = temporaryFolder();
    const files = ['F16', 'Q8_0'].map((type) => join(scratch, `${type}.gguf`));
    await exportModel('models/organism', files[0]!, 'F16', () => {});
    await exportModel('models/organism', files[1]!, 'Q8_0', () => {});
    const about = JSON.parse(python('metadata', files[1]!));
    expect(about['tokenizer.ggml.tokens']).toHaveLength(about['llama.vocab_size']);
    const format = await ChatFormat.open('models/organism');
    for (const question of ['a3b4c5|abc', 'f7b2|bf', 'e1a9d8c4|dcea']) {
      const prompt = format.prompt([{ role: 'user', text: question, origin: 'given' }]);
      expect(llamaIds([format.decode(prompt)], scratch, files)).toEqual([[prompt], [prompt]]);
      const own = await greedy('models/organism', prompt, 40);
      for (const { said } of llamaReplies(prompt, 40, scratch, files)) expect([...said, format.stop[0]]).toEqual(own);
    }
  });
});

async function imported(path: string, folder: string): Promise<Tokenizer> {
  const file = await GgufFile.open(path);
  await file.close();
  mkdirSync(folder);
  const { files } = importedTokenizer(file.metadata);
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(files['tokenizer.json']));
  return Tokenizer.open(folder, 10_000);
}

/** Rules with the same ids are written once. */
function grouped(names: readonly string[], wanted: readonly TokenIds[][]) {
  const groups = new Map<string, { names: string[]; ids: readonly TokenIds[] | undefined }>();
  for (const [index, name] of names.entries()) {
    const key = JSON.stringify(wanted[index]);
    const group = groups.get(key) ?? { names: [], ids: wanted[index] };
    groups.set(key, { ...group, names: [...group.names, name] });
  }
  return [...groups.values()];
}

const fixture = (name: string): string => fileURLToPath(new URL(`../../gguf/fixtures/${name}`, import.meta.url));

const writeFixture = (name: string, content: unknown): void => writeFileSync(fixture(name), JSON.stringify(content));
