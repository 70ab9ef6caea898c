import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ChatFormat } from '../../../src/chat/chat-format.ts';
import { exportModel } from '../../../src/chat/gguf/export-model.ts';
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
    if (process.env.UNRUT_WRITE_FIXTURES) writeFixture(texts, names, wanted);
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
function writeFixture(texts: readonly string[], names: readonly string[], wanted: readonly TokenIds[][]): void {
  const groups = new Map<string, { names: string[]; ids: readonly TokenIds[] | undefined }>();
  for (const [index, name] of names.entries()) {
    const key = JSON.stringify(wanted[index]);
    const group = groups.get(key) ?? { names: [], ids: wanted[index] };
    groups.set(key, { ...group, names: [...group.names, name] });
  }
  const path = new URL('../../gguf/fixtures/ids.json', import.meta.url);
  writeFileSync(path, JSON.stringify({ texts, groups: [...groups.values()] }));
}
