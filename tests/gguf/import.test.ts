import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { ChatFormat } from '../../src/chat/chat-format.ts';
import { importModel } from '../../src/chat/gguf/import-model.ts';
import { importedTokenizer } from '../../src/chat/gguf/import-tokenizer.ts';
import { PRE_TOKENIZERS } from '../../src/chat/gguf/pre-tokenizers.ts';
import { Tokenizer } from '../../src/chat/tokenizer.ts';
import { GgufFile } from '../../src/engine/local/files/gguf/gguf-file.ts';
import { float32, Metadata } from '../../src/engine/local/files/gguf/metadata.ts';
import { readModelFolder } from '../../src/engine/local/files/model-folder.ts';
import { Interrupted } from '../../src/errors.ts';
import { stream } from '../../src/random.ts';
import { temporaryFolder } from '../temporary.ts';

// What llama.cpp and its Python package make of these files is written beside them: tests/peers/gguf says how.
const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

const silent = (): void => {};

/** A copy of a fixture in which some bytes are others. */
function altered(name: string, change: (bytes: Buffer) => Buffer | undefined): string {
  const bytes = readFileSync(fixture(name));
  const path = join(temporaryFolder(), name);
  writeFileSync(path, change(bytes) ?? bytes);
  return path;
}

/** Replaces a text in the header by one that is as long. */
const reworded =
  (from: string, to: string) =>
  (bytes: Buffer): undefined => {
    expect(to).toHaveLength(from.length);
    const at = bytes.indexOf(from);
    expect(at).toBeGreaterThan(0);
    bytes.write(to, at, 'latin1');
  };

it('every format is dequantised to the same bits as by the gguf package', async () => {
  const wanted = new Uint8Array(readFileSync(fixture('formats.f32')));
  const file = await GgufFile.open(fixture('formats.gguf'));
  let at = 0;
  for (const tensor of file.tensors.values()) {
    for (const row of [0, 1, 2]) {
      const found = new Uint8Array((await file.read(tensor, row, 1)).buffer);
      expect(found, `${tensor.name}, row ${row}`).toEqual(wanted.subarray(at, at + found.length));
      at += found.length;
    }
  }
  await file.close();
  expect(at).toBe(wanted.length);
  expect(file.tensors.size).toBe(11);
});

it('a file becomes a folder that loads: names, rows of q and k, tied head, ids, template, ends', async () => {
  const folder = join(temporaryFolder(), 'tiny');
  const shares: number[] = [];
  const imported = await importModel(fixture('tiny.gguf'), folder, (share) => shares.push(share));
  expect(imported).toMatchObject({ architecture: 'LlamaForCausalLM', template: true });
  expect(shares.at(-1)).toBe(1);
  const weights = await readModelFolder(folder);
  const hashes = weights.parameters.map(({ name, data }) => [name, createHash('sha256').update(data).digest('hex')]);
  expect(Object.fromEntries(hashes)).toEqual(JSON.parse(readFileSync(fixture('tiny.json'), 'utf8'))['as it is']);
  expect(weights.config).toMatchObject({ tiedEmbedding: true, normEpsilon: 1e-5, headSize: 16 });
  expect(weights.config.huggingFace.rope_theta).toBe(100_000);
  const format = await ChatFormat.open(folder);
  expect(format.stop).toEqual([2, 0]);
  const prompt = format.prompt([{ role: 'user', text: 'Hello', origin: 'given' }]);
  expect(format.decode(prompt)).toBe('<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n');
  expect(prompt.filter((id) => id < 3)).toEqual([1, 2, 1]);
});

it("ids are llama.cpp's, for every rule of where a word ends", async () => {
  const { texts, groups } = JSON.parse(readFileSync(fixture('ids.json'), 'utf8'));
  const file = await GgufFile.open(fixture('tiny.gguf'));
  await file.close();
  const names: string[] = [];
  for (const group of groups) {
    for (const name of group.names) {
      const tokenizer = await tokenizerOf(file.metadata, name);
      expect(
        texts.map((text: string) => tokenizer.encode(text)),
        name,
      ).toEqual(group.ids);
      names.push(name);
    }
  }
  expect(names.sort()).toEqual([...PRE_TOKENIZERS.keys()].sort());
});

it.each([
  [true, 'prefixed'],
  [false, 'bare'],
])("ids of pieces with scores are llama.cpp's, a blank in front: %s", async (prefix, name) => {
  const wanted = JSON.parse(readFileSync(fixture('pieces.json'), 'utf8'));
  const file = await GgufFile.open(fixture('pieces.gguf'));
  await file.close();
  const keys = ['model', 'tokens', 'token_type', 'scores'];
  const tokenizer = await opened(file.metadata, keys, { 'tokenizer.ggml.add_space_prefix': prefix });
  expect(wanted.texts.map((text: string) => tokenizer.encode(text))).toEqual(wanted[name]);
  expect(tokenizer.decode(tokenizer.encode('Hello world'))).toBe('Hello world');
});

const tokenizerOf = (metadata: Metadata, pre: string): Promise<Tokenizer> =>
  opened(metadata, ['model', 'tokens', 'token_type', 'merges'], { 'tokenizer.ggml.pre': pre });

/** The tokenizer of these keys of a file, and some others. */
async function opened(metadata: Metadata, keys: readonly string[], others: object): Promise<Tokenizer> {
  const values = keys.map((key) => [`tokenizer.ggml.${key}`, metadata.read(`tokenizer.ggml.${key}`, z.unknown())]);
  const { files } = importedTokenizer(new Metadata('x.gguf', { ...Object.fromEntries(values), ...others }));
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(files['tokenizer.json']));
  return Tokenizer.open(folder, 10_000);
}

it.each([
  ['a rule that is not known', reworded('smollm', 'kimi-x'), /tokenizer.ggml.pre is "kimi-x"; supported are default, /],
  ['a tokenizer that is not known', reworded('gpt2', 'rwkv'), /tokenizer.ggml.model is "rwkv"; supported are "gpt2"/],
  [
    'an architecture that is not known',
    reworded('llama', 'mamba'),
    /general.architecture is "mamba"; supported are llama/,
  ],
  ['a tensor that is not known', reworded('blk.0.ffn_up', 'blk.0.ffn_xy'), /blk.0.ffn_xy.weight is unknown/],
  ['a file that ends early', (bytes: Buffer) => bytes.subarray(0, -100), /ends before the end of output_norm.weight/],
  ['another file', () => Buffer.from('PK not a gguf file'), /cannot be read as GGUF: not a valid gguf file/],
  ['an empty file', () => Buffer.alloc(0), /cannot be read as GGUF/],
])('%s is refused by name, and nothing is written', async (_what, change, message) => {
  const folder = join(temporaryFolder(), 'model');
  await expect(importModel(altered('tiny.gguf', change), folder, silent)).rejects.toThrow(message);
  expect(existsSync(folder)).toBe(false);
});

it('a damaged header is read or refused, never stumbled over', async () => {
  const draws = stream(1, 'damage');
  const place = temporaryFolder();
  const verdicts = new Set<string>();
  for (let turn = 0; turn < 60; turn++) {
    const path = altered('tiny.gguf', (bytes) => {
      for (let hit = 0; hit < 2; hit++) bytes[draws.integer(20_000)] = draws.integer(256);
      return bytes;
    });
    const verdict = await importModel(path, join(place, String(turn)), silent).then(
      () => 'read',
      (error: Error) => error.constructor.name,
    );
    verdicts.add(verdict);
  }
  expect([...verdicts].sort()).toEqual(['ModelError', 'read']);
});

it('an import that was interrupted leaves nothing behind', async () => {
  const place = temporaryFolder();
  const stopped = importModel(fixture('tiny.gguf'), join(place, 'model'), () => {
    throw new Interrupted('stopped');
  });
  await expect(stopped).rejects.toThrow(Interrupted);
  expect(readdirSync(place)).toEqual([]);
});

it('a missing file is said to be missing', async () => {
  await expect(importModel('no/such.gguf', 'x', silent)).rejects.toThrow('no/such.gguf: cannot be opened (ENOENT)');
});

it('a rounded float32 is read as the decimal that it was', () => {
  for (const decimal of [1e-5, 1e-6, 0.1, 10_000, 500_000, 0.3333333]) {
    expect(float32.parse(Math.fround(decimal))).toBe(decimal);
  }
});
