import type { Command } from 'commander';

/** @file The commands that make a folder of a GGUF file, and a GGUF file of a model. */

type Exit = (code: number) => void;

export function addImport(program: Command, exit: Exit): void {
  program
    .command('import <file> <folder>')
    .description('make a Hugging Face folder of a GGUF file: weights as float32, tokenizer, chat template')
    .option('--json', 'one JSON object on standard output')
    .option('--quiet', 'say nothing unless it fails')
    .addHelpText(
      'after',
      `
<folder> must not be there yet. It takes 4 bytes a parameter.

Example:
  unrut import SmolLM2-135M-Instruct.Q4_1.gguf models/smollm2
  unrut probe models/smollm2 --behaviours loops few-shot
`,
    )
    .action(async (file: string, folder: string, options) => {
      const { importFile } = await import('./import-command.ts');
      exit(await importFile(file, folder, options));
    });
}

export function addExport(program: Command, exit: Exit): void {
  program
    .command('export <model>')
    .description('write a model, or what a run trained, as a GGUF file for llama.cpp and what builds on it')
    .requiredOption('--gguf <file>', 'where it goes')
    .option('--type <name>', 'number format of the matrices: F16, or Q8_0 in half the space', 'F16')
    .option('--json', 'one JSON object on standard output')
    .option('--quiet', 'say nothing unless it fails')
    .addHelpText(
      'after',
      `
<model> is a Hugging Face folder, the folder of a finished run, or a model of the hub, ORGANISATION/MODEL[@REVISION].

Examples:
  unrut export runs/quickstart-1 --gguf organism.gguf
  unrut export models/smollm2 --gguf smollm2.gguf --type Q8_0
`,
    )
    .action(async (model: string, options) => {
      const { exportFile } = await import('./export-command.ts');
      exit(await exportFile(model, options));
    });
}
