import { Command, InvalidArgumentError, Option } from 'commander';
import { InputError, Interrupted } from '../errors.ts';
import { visibleLine } from '../visible.ts';
import { EXIT, explainError } from './exit.ts';
import { addExport, addImport } from './gguf-program.ts';
import {
  addEndpointOptions,
  addFamilyOptions,
  collect,
  ENDPOINT_HELP,
  ENDPOINT_ONLY,
} from './options/endpoint-options.ts';
import { addEngineOptions } from './options/engine-options.ts';
import { MOST_PROBLEMS, wholeNumber } from './options/numbers.ts';
import { packageVersion } from './package-root.ts';
import { say } from './print.ts';
import { addCheckpoints, addProblems, type Exit, type LoadParts } from './subcommands.ts';

/**
 * Runs one command line.
 * @returns the exit code: 0 done, 1 error, 100 a gate's bar missed, 130 interrupted.
 */
export async function runCli(words: readonly string[], loadParts: LoadParts): Promise<number> {
  process.stdout.off('error', ignoreBrokenPipe).on('error', ignoreBrokenPipe); // once, however often it is called
  process.stderr.off('error', ignoreAll).on('error', ignoreAll);
  let exitCode: number = EXIT.ok;
  const program = buildProgram(loadParts, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(words, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof Interrupted) return EXIT.interrupted;
    say(explainError(error));
    return EXIT.error;
  }
}

/** Where nothing can be told any more, nobody is left to tell it to. */
function ignoreAll(): void {}

/** A reader that went away (`| head`) does not end a run: its folder keeps everything that was said. */
function ignoreBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

function buildProgram(loadParts: LoadParts, exit: Exit): Command {
  const program = new Command('unrut')
    .description("Measures a language model's consistency drive, un-teaches it, and proves before v. after.")
    .version(packageVersion)
    .configureOutput({ outputError: (text) => say(`unrut: ${oneLine(text)}; add --help for the options`) });
  addRun(program, loadParts, exit);
  addProbe(program, loadParts, exit);
  addCompare(program, exit);
  addReport(program, exit);
  addView(program, exit);
  addServe(program, exit);
  addCheckpoints(program, exit);
  addProblems(program, loadParts, exit);
  addLab(program, loadParts, exit);
  addImport(program, exit);
  addChat(program, loadParts, exit);
  addExport(program, exit);
  return program;
}

/** As every other error is told. */
const oneLine = (text: string): string => visibleLine(text.replace(/^error: /, '')).replace(/[.\s]+$/, '');

const port = wholeNumber(0, 65_535);

const EXIT_HELP = `
Exit code: 0 all gates hold, 1 error, 100 a gate's bar was missed, 130 interrupted.`;

function addRun(program: Command, loadParts: LoadParts, exit: Exit): void {
  const run = program
    .command('run <recipe>')
    .description('probe, carry out the stages of a recipe with their gates, probe again, report')
    .option('--resume', 'go on with a run that was stopped, to the same result')
    .option('--out <folder>', 'run folder (default: runs/<name>-<number>)')
    .addOption(new Option('--dry-run', 'print what it would cost in tokens and time, and stop').conflicts('resume'))
    .option('--resolved', 'with --dry-run: print the recipe with every default, too')
    .option('--seed <number>', "overrides the recipe's seed", wholeNumber())
    .option('--set <path=value>', 'overrides one value; may be repeated', collect)
    .option('--junit <file>', 'write a JUnit file with a test per gate')
    .option('--json', 'one event per line on standard output')
    .option('--quiet', 'no progress, only the table at the end');
  addEngineOptions(run)
    .addHelpText(
      'after',
      `
<recipe> is a file, or the name of one that comes with unrut.

Examples:
  unrut run quickstart
  unrut run recipes/quickstart.yaml --dry-run
  unrut run quickstart --set stages.verify.off=true --out runs/without-verify
  unrut run quickstart --resume
  unrut run quickstart --engine tinker --base-url http://127.0.0.1:8001 --base-model organism --set lora.rank=32
${EXIT_HELP}`,
    )
    .action(async (recipe: string, options) => {
      const { run } = await import('./run-command.ts');
      exit(await run(recipe, options, await loadParts()));
    });
}

function addProbe(program: Command, loadParts: LoadParts, exit: Exit): void {
  const probe = program
    .command('probe [model]')
    .description('measure a model, or transcripts that exist; train nothing')
    .addOption(
      new Option(
        '--from-log <file>',
        'measure the transcripts of an Inspect log (.eval or .json) instead of a model',
      ).conflicts(['problems', 'behaviours', 'seed', 'family', 'set', 'shots', 'mode', ...ENDPOINT_ONLY]),
    )
    .option('--problems <number>', 'problems per cell', wholeNumber(1, MOST_PROBLEMS), 400)
    .option('--behaviours <names...>', 'only these (default: all eight and the sycophancy guard)')
    .option('--seed <number>', 'of the problems', wholeNumber(), 1)
    .option('--out <folder>', 'keep results.json and report.html there')
    .option('--junit <file>', 'write a JUnit file with a test per row, skipped where it could not be measured')
    .option('--json', 'one event per line on standard output')
    .option('--quiet', 'no progress, only the table at the end');
  addEndpointOptions(addFamilyOptions(probe))
    .addHelpText(
      'after',
      `
<model> is a Hugging Face folder, the folder of a finished run, or a model of the hub, ORGANISATION/MODEL[@REVISION].

Examples:
  unrut probe models/organism
  unrut probe HuggingFaceTB/SmolLM2-135M-Instruct --behaviours loops few-shot
  unrut probe runs/quickstart-1 --behaviours defensiveness loops --problems 100
  unrut probe path/to/chat-model --family mine.jsonl
  unrut probe path/to/small-model --shots 3 --set keys=2 --set entries=4
  unrut probe --from-log logs/gsm8k.eval --out runs/gsm8k
${ENDPOINT_HELP}`,
    )
    .action(async (model: string | undefined, options) => {
      if (options.fromLog !== undefined) {
        if (model !== undefined) throw new InputError(`probe: ${model} or --from-log ${options.fromLog}, not both`);
        const { probeLog } = await import('./probe-log-command.ts');
        return exit(await probeLog(options.fromLog, options));
      }
      if (model === undefined) throw new InputError('probe: no model; name a folder, or a log with --from-log');
      const { probe } = await import('./probe-command.ts');
      exit(await probe(model, options, await loadParts()));
    });
}

function addCompare(program: Command, exit: Exit): void {
  program
    .command('compare <first> <second>')
    .description("the second run's model against the first's, paired by problem")
    .option('--gate', 'exit with 100 when a row got worse')
    .option('--junit <file>', 'write a JUnit file with a test per row, failed where it got worse')
    .option('--json', 'one JSON object on standard output')
    .addHelpText(
      'after',
      `
<first> and <second> are folders of runs, or of \`unrut probe --out\`, measured on the same problems.

Example:
  unrut compare runs/quickstart-1 runs/quickstart-2 --gate
${EXIT_HELP}`,
    )
    .action(async (first: string, second: string, options) => {
      const { compare } = await import('./compare-command.ts');
      exit(await compare(first, second, options));
    });
}

function addReport(program: Command, exit: Exit): void {
  program
    .command('report <run>')
    .description('print the table of a finished run and write its report.html anew')
    .option('--json', 'print only where the files are')
    .addHelpText(
      'after',
      `
Example:
  unrut report runs/quickstart-1
${EXIT_HELP}`,
    )
    .action(async (run: string, options) => {
      const { report } = await import('./report-command.ts');
      exit(await report(run, options));
    });
}

function addServe(program: Command, exit: Exit): void {
  program
    .command('serve <model>')
    .description('answer OpenAI-compatible chat and completion requests with a model; with --tinker, train it as well')
    .option('--tinker', 'speak the Tinker API, too: TINKER_BASE_URL=http://127.0.0.1:8000')
    .option('--data <folder>', 'where checkpoints of --tinker are kept (default: tinker-data)')
    .option('--port <number>', 'port to listen on, 0 for any free one', port, 8000)
    .option(
      '--host <address>',
      'address to listen on; others than this machine’s own open it to the network',
      '127.0.0.1',
    )
    .option(
      '--public-url <address>',
      'how clients reach it, where that is another address (a name, a proxy): requests for other names are refused',
      webAddress,
    )
    .option('--api-key-env <name>', 'environment variable with the key that clients must send (default: none)')
    .addHelpText(
      'after',
      `
<model> is a Hugging Face folder, the folder of a finished run, or a model of the hub, ORGANISATION/MODEL[@REVISION].
Clients ask for it by the last part of its name.

Examples:
  unrut serve models/organism
  unrut serve runs/quickstart-1 --port 8001 --api-key-env UNRUT_KEY
  unrut serve models/organism --tinker --data runs/tinker
`,
    )
    .action(async (model: string, options) => {
      const { serve } = await import('./serve-command.ts');
      exit(await serve(model, options));
    });
}

function addView(program: Command, exit: Exit): void {
  program
    .command('view [folder]')
    .description('show the runs under a folder in a browser on this machine: reports, comparisons, transcripts')
    .option('--port <number>', 'port to listen on, 0 for any free one', port, 7860)
    .addHelpText(
      'after',
      `
<folder> holds runs or Inspect logs, at any depth (default: runs).

Examples:
  unrut view
  unrut view logs --port 0
`,
    )
    .action(async (folder: string | undefined, options) => {
      const { view } = await import('./view-command.ts');
      exit(await view(folder ?? 'runs', options));
    });
}

function webAddress(text: string): URL {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return new URL(text);
  throw new InvalidArgumentError('It must be an address such as http://gpu-box:8000.');
}

function addLab(program: Command, loadParts: LoadParts, exit: Exit): void {
  program
    .command('lab [experiment] [model]')
    .description("the debate's claims as experiments: declared first, then run, with a verdict")
    .option('--set <option=value>', 'overrides an option of the experiment; may be repeated', collect)
    .option('--corpus <path>', 'a file or folder of text of your own')
    .option('--seed <number>', 'of all draws', wholeNumber(), 1)
    .option('--out <folder>', 'where to keep it (default: runs/lab-<experiment>-<number>)')
    .option('--resume', 'continue an interrupted experiment; finished pieces are not done again')
    .option('--dry-run', 'print what is declared, and stop')
    .option('--json', 'one JSON object per line on standard output')
    .option('--quiet', 'no progress, only the verdict at the end')
    .addHelpText(
      'after',
      `
Without an experiment: the list of them, with their last verdicts. \`all\` runs every one and writes one page.

Examples:
  unrut lab
  unrut lab redundancy
  unrut lab redundancy path/to/model --corpus texts/
  unrut lab all --out runs/lab`,
    )
    .action(async (experiment: string | undefined, model: string | undefined, options) => {
      const { lab, labAll, listLab } = await import('./lab-command.ts');
      if (experiment === undefined) return exit(await listLab(options));
      exit(
        experiment === 'all'
          ? await labAll(options, await loadParts())
          : await lab(experiment, model, options, await loadParts()),
      );
    });
}

function addChat(program: Command, loadParts: LoadParts, exit: Exit): void {
  program
    .command('chat <model>')
    .description('talk to a model in the terminal; put a wrong turn into its mouth and see what it does')
    .option('--against <model>', 'a second model that hears the same, side by side')
    .option('--temperature <number>', '0 is greedy', Number, 0)
    .option('--tokens <number>', 'longest reply', wholeNumber(1), 200)
    .option('--seed <number>', 'of the draws', wholeNumber(), 1)
    .addHelpText(
      'after',
      `
<model> is a folder, a finished run, or a model of the hub. Lines come from standard input, so a script can talk, too.
In the conversation: /wrong TEXT, /begin TEXT, /undo, /clear, /help, /quit.

Examples:
  unrut chat models/smollm2
  unrut chat models/organism --against runs/quickstart-1`,
    )
    .action(async (model: string, options) => {
      const { chat } = await import('./chat-command.ts');
      exit(await chat(model, options, await loadParts()));
    });
}
