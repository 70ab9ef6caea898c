import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWholeFolder } from '../../disk/whole-folder.ts';
import { architectureOf, configOf } from '../../engine/local/files/gguf/architectures.ts';
import { GgufFile } from '../../engine/local/files/gguf/gguf-file.ts';
import { importedTensors } from '../../engine/local/files/gguf/import-weights.ts';
import { streamSafetensors } from '../../engine/local/files/safetensors.ts';
import { parseConfig } from '../../engine/local/model/architectures.ts';
import { importedTokenizer, specialIds } from './import-tokenizer.ts';

/** What was imported. */
export type Imported = {
  readonly architecture: string;
  readonly parameters: number;
  /** Number formats of the file, and how many tensors each has. */
  readonly formats: Readonly<Record<string, number>>;
  /** Without a chat template a model cannot hold a conversation. */
  readonly template: boolean;
};

/**
 * Writes a GGUF file as a Hugging Face folder: config, float32 weights, tokenizer, chat template, stop tokens. Memory is
 * bounded, whatever the size of the file; `folder` appears when all of it is written.
 * @param progress is called with the share that is done, in [0, 1].
 * @throws ModelError naming what the file lacks, or what of it is not known, before anything is written.
 */
export async function importModel(path: string, folder: string, progress: (share: number) => void): Promise<Imported> {
  const file = await GgufFile.open(path);
  try {
    const architecture = architectureOf(file.metadata);
    const config = { ...(await configOf(file, architecture)), ...specialIds(file.metadata) };
    parseConfig(path, config);
    const tensors = importedTensors(file, architecture);
    const tokenizer = importedTokenizer(file.metadata);
    await writeWholeFolder(folder, async (beside) => {
      const files = { 'config.json': config, ...tokenizer.files };
      for (const [name, content] of Object.entries(files)) await writeJson(join(beside, name), content);
      await streamSafetensors(join(beside, 'model.safetensors'), tensors, { format: 'pt' }, progress);
    });
    return { architecture: architecture.className, ...summary(file), template: tokenizer.hasTemplate };
  } finally {
    await file.close();
  }
}

const writeJson = (path: string, content: unknown): Promise<void> =>
  writeFile(path, `${JSON.stringify(content, null, 2)}\n`);

function summary({ tensors }: GgufFile): Pick<Imported, 'parameters' | 'formats'> {
  const formats: Record<string, number> = {};
  let parameters = 0;
  for (const { format, rows, width } of tensors.values()) {
    formats[format.name] = (formats[format.name] ?? 0) + 1;
    parameters += rows * width;
  }
  return { parameters, formats };
}
