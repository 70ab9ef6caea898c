import { existsSync } from 'node:fs';
import { importModel } from '../chat/gguf/import-model.ts';
import { InputError } from '../errors.ts';
import { formatCount } from '../report/format.ts';
import type { DisplayOptions } from './display/open-display.ts';
import { EXIT } from './exit.ts';
import { print, printJson } from './print.ts';
import { withProgress } from './with-progress.ts';

/** `unrut import FILE.gguf FOLDER`: makes an ordinary model folder of a GGUF file. */
export async function importFile(path: string, folder: string, options: DisplayOptions): Promise<number> {
  if (existsSync(folder)) throw new InputError(`${folder}: is there already; name a folder that is not`);
  const imported = await withProgress(`imports ${path}`, options, (progress) => importModel(path, folder, progress));
  const { architecture, parameters, formats, template } = imported;
  if (options.json) printJson({ kind: 'imported', folder, parameters, formats });
  else if (!options.quiet) {
    const from = Object.entries(formats).map(([name, count]) => `${count} ${name}`);
    print(
      `${folder}: ${architecture}, ${formatCount(parameters)} parameters in float32 (tensors: ${from.join(', ')})\n` +
        (template ? '' : 'It has no chat template: probes need one; put a chat_template.jinja into the folder\n'),
    );
  }
  return EXIT.ok;
}
