import { type ExecFileSyncOptionsWithStringEncoding, execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TokenIds } from '../../../src/engine/engine.ts';

/** A folder with node-llama-cpp. */
const LLAMA = process.env.UNRUT_LLAMA ?? '.venv/llama';
const PROGRAM = fileURLToPath(new URL('llama.mjs', import.meta.url));

/** Why llama.cpp cannot be asked; undefined where it can. */
export const llamaAbsent = existsSync(join(LLAMA, 'node_modules', 'node-llama-cpp'))
  ? undefined
  : `${LLAMA} has no node-llama-cpp; see tests/peers/gguf/README.md`;

function ask<Answer>(verb: string, what: unknown, scratch: string, files: readonly string[]): Answer[] {
  const question = join(scratch, `${verb}.json`);
  writeFileSync(question, JSON.stringify(what));
  const how: ExecFileSyncOptionsWithStringEncoding = { encoding: 'utf8', maxBuffer: 2 ** 28, stdio: 'pipe' };
  const answers = JSON.parse(execFileSync(process.execPath, [PROGRAM, LLAMA, verb, question, ...files], how));
  return files.map((file) => answers[file]);
}

/** Ids of each text by each file. */
export const llamaIds = (texts: readonly string[], scratch: string, files: readonly string[]): TokenIds[][] =>
  ask('ids', texts, scratch, files);

/** The likeliest tokens behind a prompt, by each file. llama.cpp leaves the end itself out. */
export const llamaReplies = (
  prompt: TokenIds,
  tokens: number,
  scratch: string,
  files: readonly string[],
): { said: TokenIds; text: string }[] => ask('reply', { prompt, tokens }, scratch, files);
