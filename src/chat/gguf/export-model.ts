import { rename, rm } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { exportedWeights } from '../../engine/local/files/gguf/export-weights.ts';
import { text, writeGguf } from '../../engine/local/files/gguf/gguf-writer.ts';
import type { ExportType } from '../../engine/local/files/gguf/quantise.ts';
import { readModelFolder } from '../../engine/local/files/model-folder.ts';
import { ChatFormat } from '../chat-format.ts';
import { readTemplateFile } from '../template-file.ts';
import { Tokenizer } from '../tokenizer.ts';
import { exportedSpecials, exportedTokenizer } from './export-tokenizer.ts';

/**
 * Writes a model folder as a GGUF file for llama.cpp and what builds on it: weights, tokenizer, chat template, ends.
 * @param progress is called with the share that is written, in [0, 1].
 * @throws ModelError naming what the format cannot express; `path` is then left as it was.
 */
export async function exportModel(
  folder: string,
  path: string,
  type: ExportType,
  progress: (share: number) => void,
): Promise<void> {
  const weights = await readModelFolder(folder);
  const { metadata, tensors } = exportedWeights(weights, type);
  const all = {
    ...metadata,
    'general.name': text(basename(resolve(folder))),
    ...(await exportedTokenizer(folder, weights.config.vocabSize)),
    ...(await specials(folder, weights.config.vocabSize)),
  };
  const beside = `${path}.${process.pid}.writing`;
  try {
    await writeGguf(beside, all, tensors, progress);
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

async function specials(folder: string, vocabSize: number) {
  const [tokenizer, { stop }, { source, tokens }] = await Promise.all([
    Tokenizer.open(folder, vocabSize),
    ChatFormat.open(folder),
    readTemplateFile(folder),
  ]);
  const idOf = (name: string) => tokenizer.idOf(tokens[name] ?? '');
  const eos = idOf('eos_token') ?? stop[0];
  const ids = {
    bos: idOf('bos_token'),
    eos,
    eot: stop.find((id) => id !== eos),
    padding: idOf('pad_token'),
    unknown: idOf('unk_token'),
  };
  return exportedSpecials(ids, source);
}
