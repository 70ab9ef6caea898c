import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Conversation, Role, Turn } from '../../src/conversation/conversation.ts';
import { temporaryFolder } from '../temporary.ts';

/** A copy of the organism's files in which some are changed. */
export function changedModel(changes: Readonly<Record<string, (file: Record<string, unknown>) => object>>): string {
  const folder = temporaryFolder();
  for (const name of ['config.json', 'generation_config.json', 'tokenizer.json', 'tokenizer_config.json']) {
    cpSync(join('models/organism', name), join(folder, name));
  }
  for (const [name, change] of Object.entries(changes)) {
    const path = join(folder, name);
    writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8')))));
  }
  return folder;
}

/** The organism with another chat template. */
export const withTemplate = (chat_template: unknown): string => {
  return changedModel({ 'tokenizer_config.json': (file) => ({ ...file, chat_template }) });
};

/** `u:text`, `a:text`, `s:text` as turns. */
export function talk(...turns: readonly string[]): Conversation {
  const roles: Readonly<Record<string, Role>> = { u: 'user', a: 'assistant', s: 'system', t: 'tool' };
  return turns.map((turn): Turn => ({ role: roles[turn[0]!]!, text: turn.slice(2), origin: 'given' }));
}
