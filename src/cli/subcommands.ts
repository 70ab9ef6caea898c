import type { Command } from 'commander';
import type { RunParts } from '../recipe/run-parts.ts';
import { collect } from './options/endpoint-options.ts';
import { MOST_PROBLEMS, wholeNumber } from './options/numbers.ts';

/** @file The commands that have commands of their own. */

/** Loaded when a command needs it: the engine takes a moment, `--help` should not. */
export type LoadParts = () => Promise<RunParts>;

/** Tells how the process ends. */
export type Exit = (code: number) => void;

export function addProblems(program: Command, loadParts: LoadParts, exit: Exit): void {
  const problems = program
    .command('problems')
    .description('the families of problems: see them, and have them grade themselves without any model')
    .addHelpText(
      'after',
      `
<family> is a name of \`unrut problems list\`, or a .jsonl file of your own (question, answer, optional steps).

Examples:
  unrut problems list
  unrut problems show multiplication --seed 3 --set firstDigits=2
  unrut problems validate countdown --problems 500
  unrut problems validate mine.jsonl

Exit code: 0 all checks hold, 1 one does not, or an error.`,
    );
  const set = ['--set <dial=value>', 'sets a dial of the difficulty; may be repeated'] as const;
  problems
    .command('list')
    .description('names and dials')
    .option('--json', 'one JSON array on standard output')
    .addHelpText('after', example('problems list'))
    .action(async (options) => {
      const { listProblems } = await import('./problems-command.ts');
      exit(listProblems(options, (await loadParts()).families));
    });
  problems
    .command('show <family>')
    .description('a problem, its right solution and each wrong turn')
    .option('--seed <number>', 'another seed, another problem', wholeNumber(), 1)
    .option(...set, collect)
    .option('--json', 'one JSON object on standard output')
    .addHelpText('after', example('problems show multiplication --seed 3 --set firstDigits=2'))
    .action(async (family: string, options) => {
      const { showProblem } = await import('./problems-command.ts');
      exit(await showProblem(family, options, (await loadParts()).families));
    });
  problems
    .command('validate [family]')
    .description('grade own solutions, slips, misconceptions and replies in many dresses (default: every family)')
    .option('--problems <number>', 'seeded problems a family', wholeNumber(1, MOST_PROBLEMS), 1000)
    .option('--seed <number>', 'of the problems', wholeNumber(), 1)
    .option(...set, collect)
    .option('--json', 'one JSON array on standard output')
    .addHelpText('after', example('problems validate mine.jsonl'))
    .action(async (family: string | undefined, options) => {
      const { validateProblems } = await import('./problems-command.ts');
      exit(await validateProblems(family, options, (await loadParts()).families));
    });
}

const example = (words: string): string => `\nExample:\n  unrut ${words}`;

const AT = '--base-url http://127.0.0.1:8000';

export function addCheckpoints(program: Command, exit: Exit): void {
  const checkpoints = program
    .command('checkpoints')
    .description('what a Tinker service keeps: list, download, delete')
    .addHelpText(
      'after',
      `
Without another word it lists. --base-url names the service, --key-env the environment variable that holds its key
(default: TINKER_API_KEY); --json is for programs. Of a run the last three stay there, which --resume goes on from.

Examples:
  unrut checkpoints --base-url http://127.0.0.1:8000
  unrut checkpoints download tinker://MODEL/sampler_weights/NAME --out adapter --base-url http://127.0.0.1:8000
  unrut checkpoints delete tinker://MODEL/weights/NAME --base-url http://127.0.0.1:8000
`,
    );
  addServiceOptions(checkpoints.command('list', { isDefault: true }))
    .description('path, kind, size, when it was saved and when it expires (default)')
    .addHelpText('after', example('checkpoints list --base-url http://127.0.0.1:8000'))
    .action(async (options) => {
      const { listKept } = await import('./checkpoints-command.ts');
      exit(await listKept(options));
    });
  addServiceOptions(checkpoints.command('download <path>'))
    .description('the adapter of a checkpoint, as a folder that PEFT loads')
    .requiredOption('--out <folder>', 'where it goes')
    .addHelpText('after', example(`checkpoints download tinker://MODEL/sampler_weights/NAME --out adapter ${AT}`))
    .action(async (path: string, options) => {
      const { downloadKept } = await import('./checkpoints-command.ts');
      exit(await downloadKept(path, options));
    });
  addServiceOptions(checkpoints.command('delete <path>'))
    .description('one checkpoint, for good')
    .addHelpText('after', example(`checkpoints delete tinker://MODEL/weights/NAME ${AT}`))
    .action(async (path: string, options) => {
      const { deleteKept } = await import('./checkpoints-command.ts');
      exit(await deleteKept(path, options));
    });
}

function addServiceOptions(command: Command): Command {
  return command
    .option('--base-url <address>', 'of the service, without /api/v1')
    .option('--key-env <name>', 'environment variable that holds the key (default: TINKER_API_KEY)')
    .option('--json', 'JSON on standard output');
}
