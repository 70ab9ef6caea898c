import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { ChatFormat } from '../../src/chat/chat-format.ts';
import { exportModel } from '../../src/chat/gguf/export-model.ts';
import { exportedTokenizer } from '../../src/chat/gguf/export-tokenizer.ts';
import { importModel } from '../../src/chat/gguf/import-model.ts';
import { PRE_TOKENIZERS, preTokenizerJson } from '../../src/chat/gguf/pre-tokenizers.ts';
import { parts } from '../../src/cli/parts.ts';
import { runCli } from '../../src/cli/program.ts';
import { exportedWeights } from '../../src/engine/local/files/gguf/export-weights.ts';
import { GgufFile } from '../../src/engine/local/files/gguf/gguf-file.ts';
import { readModelFolder } from '../../src/engine/local/files/model-folder.ts';
import { initialWeights } from '../../src/engine/local/model/weights.ts';
import { temporaryFolder } from '../temporary.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const silent = (): void => {};

let tiny: string;
beforeAll(async () => {
  tiny = join(temporaryFolder(), 'tiny');
  await importModel(fixture('tiny.gguf'), tiny, silent);
});

/** Writes a model as GGUF and imports that again. */
async function thereAndBack(folder: string, type: 'F16' | 'Q8_0'): Promise<string> {
  const place = temporaryFolder();
  await exportModel(folder, join(place, 'model.gguf'), type, silent);
  await importModel(join(place, 'model.gguf'), join(place, 'model'), silent);
  return join(place, 'model');
}

it.each(['F16', 'Q8_0'] as const)('%s holds the numbers that the gguf package rounds to', async (type) => {
  const back = await readModelFolder(await thereAndBack(tiny, type));
  const hashes = back.parameters.map(({ name, data }) => [name, createHash('sha256').update(data).digest('hex')]);
  expect(Object.fromEntries(hashes)).toEqual(JSON.parse(readFileSync(fixture('tiny.json'), 'utf8'))[type]);
});

it('shape, tokenizer, template and ends come back as they were', async () => {
  const back = await thereAndBack(tiny, 'F16');
  for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'generation_config.json']) {
    const [before, after] = [tiny, back].map((folder) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
    expect(after, name).toEqual(before);
  }
});

it('a tokenizer of single characters comes back with the same ids', async () => {
  const [before, after] = await Promise.all(
    ['models/organism', await thereAndBack('models/organism', 'F16')].map((folder) => ChatFormat.open(folder)),
  );
  const talk = [{ role: 'user', text: 'a3b4c5|abc', origin: 'given' }] as const;
  expect(after!.prompt(talk)).toEqual(before!.prompt(talk));
  expect(after!.stop).toEqual(before!.stop);
});

describe('the rule of where a word ends', () => {
  const preOf = async (change: (json: Record<string, unknown>) => unknown): Promise<unknown> => {
    const json = JSON.parse(readFileSync(join(tiny, 'tokenizer.json'), 'utf8'));
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(change(json)));
    return (await exportedTokenizer(folder, 902))['tokenizer.ggml.pre']?.value;
  };
  const withRule = (pre_tokenizer: object, more: object = {}, ignore_merges = false) =>
    preOf((json) => ({ ...json, ...more, pre_tokenizer, model: { ...Object(json.model), ignore_merges } }));

  it.each([...PRE_TOKENIZERS])('%s is told from all others', async (_name, rule) => {
    const found = await withRule(preTokenizerJson(rule), {}, rule.ignoreMerges ?? false);
    expect(PRE_TOKENIZERS.get(z.string().parse(found))).toEqual(rule);
  });

  const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true };
  const split = (Regex: string) => ({ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false });
  const modern = (digits: string) =>
    `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
  const sequence = (...pretokenizers: object[]) => ({ type: 'Sequence', pretokenizers });

  it.each([
    ['gpt-2', { ...bytes, use_regex: true }, {}, false],
    ['llama-bpe', sequence(split(modern('\\p{N}{1,3}')), { ...bytes, use_regex: false }), {}, true],
    [
      'qwen2',
      sequence(split(modern('\\p{N}')), { ...bytes, use_regex: false }),
      { normalizer: { type: 'NFC' } },
      false,
    ],
  ])('%s is known as its own folder writes it', async (name, pre, more, ignoreMerges) => {
    expect(await withRule(pre, more, ignoreMerges)).toBe(name);
  });

  it('is refused where llama.cpp has none', async () => {
    await expect(withRule(sequence(split('[a-m]+'), { ...bytes, use_regex: false }))).rejects.toThrow(
      /tokenizer.json: pre_tokenizer cuts text into words in a way that llama.cpp is not known to have/,
    );
    await expect(preOf((json) => ({ ...json, normalizer: { type: 'Lowercase' } }))).rejects.toThrow(/"Lowercase"/);
    await expect(preOf((json) => ({ ...json, model: { ...Object(json.model), type: 'Unigram' } }))).rejects.toThrow(
      /model.type is "Unigram"; only byte-level tokenizers can be written as GGUF/,
    );
  });
});

it('what the format cannot express is refused by name', async () => {
  const { config } = await readModelFolder(tiny);
  const [sight] = config.sights;
  const other = (change: object) => () => exportedWeights(initialWeights({ ...config, ...change }, 1), 'F16');
  const scaled = (rope_scaling: object) => ({ huggingFace: { ...config.huggingFace, rope_scaling } });
  expect(other(scaled({ rope_type: 'yarn', factor: 4 }))).toThrow('rope_type "yarn" cannot be written as GGUF');
  expect(other({ sights: [{ ...sight, window: 8 }] })).toThrow('a sliding window');
});

it("Llama 3's stretched positions come back as the rule that they follow", async () => {
  const { config } = await readModelFolder(tiny);
  const rule = { factor: 32, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };
  const rope_scaling = { rope_type: 'llama3', ...rule };
  const huggingFace = { ...config.huggingFace, rope_theta: 500_000, rope_scaling };
  const { tensors } = exportedWeights(initialWeights({ ...config, huggingFace }, 1), 'F16');
  const factors = tensors.find(({ name }) => name === 'rope_freqs.weight');
  expect(factors?.data).toHaveLength(8);
  expect([...(factors?.data ?? [])].at(0)).toBe(1);
  expect([...(factors?.data ?? [])].at(-1)).toBe(32);
});

describe('unrut export', () => {
  const refusal = async (...words: string[]): Promise<string> => {
    let said = '';
    const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      said += String(text);
      return true;
    });
    const code = await runCli(['export', ...words], async () => parts);
    spy.mockRestore();
    return `${code} ${said}`;
  };

  it('writes a file that llama.cpp’s reader opens', async () => {
    const path = join(temporaryFolder(), 'organism.gguf');
    expect(await refusal('models/organism', '--gguf', path, '--type', 'Q8_0', '--quiet')).toBe('0 ');
    const file = await GgufFile.open(path);
    expect(file.metadata.read('general.file_type', z.number())).toBe(7);
    await file.close();
    expect(await refusal('models/organism', '--gguf', path)).toMatch(
      /^1 unrut: .*organism.gguf: is there already; name a file/,
    );
  });

  it('refuses a type that it does not write', async () => {
    expect(await refusal('models/organism', '--gguf', 'x.gguf', '--type', 'Q2_K')).toBe(
      '1 unrut: --type Q2_K: is not known; known are F16, Q8_0\n',
    );
  });
});
