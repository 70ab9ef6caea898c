import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ChatTemplate } from '../../src/chat/chat-template.ts';
import { normalizerOf } from '../../src/chat/normalizers.ts';
import { preTokenizerOf } from '../../src/chat/pre-tokenizers.ts';
import { Tokenizer } from '../../src/chat/tokenizer.ts';
import { CHATS, OWN_TEMPLATES, TOKENS } from './own-templates.ts';
import { ADDED_TEXTS, NORMALIZERS, PRE_TOKENIZERS, TEXTS, wholeTokenizers } from './tokenizer-parts.ts';

/** @file Values of Python's transformers and tokenizers, written by tests/peers/templates. Null: Python refuses. */

type Values = {
  readonly templates: readonly { name: string; chat: number; mode: string; text: string | null }[];
  readonly cut: readonly (readonly (readonly string[] | null)[])[];
  readonly normalized: readonly (readonly (string | null)[])[];
  readonly whole: readonly (readonly { ids: readonly number[]; decoded: string }[])[];
};
const right: Values = JSON.parse(readFileSync('tests/chat/right-values.json', 'utf8'));

const folder = mkdtempSync(join(tmpdir(), 'unrut-right-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What is refused by name is no other value. */
function orRefused<T>(work: () => T): T | 'refused' {
  try {
    return work();
  } catch {
    return 'refused';
  }
}

it.each(Object.entries(OWN_TEMPLATES))('a template with %s writes what Python writes', async (name, source) => {
  writeFileSync(join(folder, 'chat_template.jinja'), source);
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(TOKENS));
  const template = await ChatTemplate.open(folder);
  const values = right.templates.filter((value) => value.name === name);
  expect(values.length).toBeGreaterThan(30);
  for (const { chat, mode, text } of values) {
    const ours = orRefused(() => template.render(CHATS[chat]!, mode === 'closed' ? 'closed' : 'prompt'));
    expect(ours).toBe(text ?? 'refused');
  }
});

describe('parts of a tokenizer', () => {
  /** These have no equal here; all others have to be carried out. */
  const REFUSED = /UnicodeScripts|Nmt|\\\\[bWXG]"|\(\?m:|p\{\^L|\(\?i:ß/;

  it.each(PRE_TOKENIZERS.map((json, at) => [JSON.stringify(json), json, at] as const))('%s', (name, json, at) => {
    const values = TEXTS.map((text) => {
      return orRefused(() => preTokenizerOf(json)([{ text, first: true }]).map((piece) => piece.text));
    });
    const refused = REFUSED.test(name) || right.cut[at]![0] === null;
    expect(values).toEqual(refused ? TEXTS.map(() => 'refused') : right.cut[at]);
  });

  it.each(NORMALIZERS.map((json, at) => [JSON.stringify(json), json, at] as const))('%s', (name, json, at) => {
    const values = TEXTS.map((text) => orRefused(() => normalizerOf(json)(text)));
    expect(values).toEqual(REFUSED.test(name) ? TEXTS.map(() => 'refused') : right.normalized[at]);
  });
});

it('whole tokenizers find added tokens and decode as Python does', async () => {
  const tokenizers = wholeTokenizers();
  expect(tokenizers.length).toBe(right.whole.length);
  for (const [at, json] of tokenizers.entries()) {
    writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(json));
    const tokenizer = await Tokenizer.open(folder, 100_000);
    const ids = ADDED_TEXTS.map((text) => tokenizer.encode(text));
    const decoded = ids.map((tokens) => tokenizer.decode(tokens));
    expect(ids.map((one, nth) => ({ ids: one, decoded: decoded[nth] }))).toEqual(right.whole[at]);
    expect(ids.map((one) => tokenizer.pieces(one).join(''))).toEqual(decoded);
  }
});
