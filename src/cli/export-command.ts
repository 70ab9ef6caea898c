import { existsSync } from 'node:fs';
import { exportModel } from '../chat/gguf/export-model.ts';
import { EXPORT_TYPES, type ExportType } from '../engine/local/files/gguf/quantise.ts';
import { InputError } from '../errors.ts';
import type { DisplayOptions } from './display/open-display.ts';
import { EXIT } from './exit.ts';
import { findModel } from './find-model.ts';
import { print, printJson } from './print.ts';
import { withProgress } from './with-progress.ts';

export type ExportOptions = DisplayOptions & { readonly gguf: string; readonly type: string };

/** `unrut export MODEL --gguf FILE`: writes a model, or what a run trained, for llama.cpp. */
export async function exportFile(name: string, options: ExportOptions): Promise<number> {
  const { gguf, type } = options;
  if (!isExportType(type)) {
    throw new InputError(`--type ${type}: is not known; known are ${Object.keys(EXPORT_TYPES).join(', ')}`);
  }
  if (existsSync(gguf)) throw new InputError(`${gguf}: is there already; name a file that is not`);
  const { folder } = await findModel(name, options);
  await withProgress(`writes ${gguf}`, options, (progress) => exportModel(folder, gguf, type, progress));
  if (options.json) printJson({ kind: 'exported', file: gguf, type });
  else if (!options.quiet) print(`${gguf}: ${name} as ${type}, for llama.cpp\n`);
  return EXIT.ok;
}

const isExportType = (text: string): text is ExportType => Object.hasOwn(EXPORT_TYPES, text);
