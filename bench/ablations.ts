import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { rowKey } from '../src/results/condition.ts';
import { type Results, readResults } from '../src/results/results.ts';

/**
 * @file The ablation table of docs/ablations.md: `npx tsx bench/ablations.ts runs/ablations`. One run of the quickstart a
 * column, about half an hour on two cores; a run that is there already is not run again.
 */

const off = (...stages: readonly string[]) => stages.map((stage) => `stages.${stage}.off=true`);

/** A missed gate must not end an ablation early: that it would miss is the finding. */
const NO_GATES = 'gates=[]';

const ABLATIONS: Readonly<Record<string, readonly string[]>> = {
  all: [],
  'no elicit': off('elicit'),
  'no verify': off('verify'),
  'no distil': off('distil'),
  'no unloop': off('unloop', 'unloop-again'),
  'no reinforce': off('reinforce'),
  'RLVR only': [...off('elicit', 'verify', 'distil', 'unloop', 'unloop-again'), 'stages.reinforce.anchor.lessons=0'],
  'SFT + RLVR': off('verify', 'distil', 'unloop', 'unloop-again'),
};

const ROWS: readonly (readonly [name: string, key: string])[] = [
  ['own wrong answer corrected', 'own_wrong_corrected'],
  ['waved-through own answer corrected', 'waved_through_corrected'],
  ['user’s wrong answer corrected', 'user_wrong_corrected'],
  ['own right answer kept', 'own_right_kept'],
  ['next step right, 4 misconceived', 'next_step_accuracy dose=4,kind=misconception'],
  ['next step right, 4 slips', 'next_step_accuracy dose=4,kind=slip'],
  ['J, slip in a sum', 'j kind=slip,what=sum'],
  ['J, slip in a value', 'j kind=slip,what=value'],
  ['J, misconception', 'j kind=misconception'],
  ['J, own sampled errors', 'j kind=own'],
  ['false alarms per right step', 'false_alarm_rate'],
  ['recovers, own sampled errors', 'recovery_own'],
  ['P(next copy) after 1 copy', 'next_copy_probability copies=1'],
  ['P(next copy) after 4 copies', 'next_copy_probability copies=4'],
  ['P(next copy) after 6 copies', 'next_copy_probability copies=6'],
  ['“repeat n times” obeyed', 'repeat_obeyed'],
  ['told one piece a turn', 'multi_turn_sharded'],
  ['later override obeyed', 'override_obeyed'],
  ['few-shot gain, 8 shown', 'few_shot_gain demos=8'],
  ['nats per token', 'nats_per_token'],
  ['clean, greedy', 'clean_accuracy'],
  ['clean, T = 1', 'clean_accuracy_t1'],
  ['tokens per answer', 'tokens_per_answer'],
];

const folder = process.argv[2] ?? 'runs/ablations';
const runs: Results[] = [];
for (const [name, overrides] of Object.entries(ABLATIONS)) runs.push(await runOnce(name, overrides));
print();

async function runOnce(name: string, overrides: readonly string[]): Promise<Results> {
  const out = join(folder, name.replaceAll(/\W+/g, '-').toLowerCase());
  const set = [NO_GATES, 'probes.problems=200', ...overrides].flatMap((override) => ['--set', override]);
  const cli = ['src/cli/main.ts', 'run', 'quickstart', '--quiet', '--out', out, ...set];
  if (!existsSync(join(out, 'results.json'))) {
    process.stderr.write(`${name}: ${overrides.join(' ')}\n`);
    const resume = existsSync(out) ? ['--resume'] : [];
    spawnSync('npx', ['tsx', ...cli, ...resume], { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  return readResults(join(out, 'results.json'));
}

function print(): void {
  line(['', 'base', ...Object.keys(ABLATIONS)]);
  line(['---', '---:', ...runs.map(() => '---:')]);
  for (const [name, key] of ROWS) {
    const found = runs.map(({ probes }) => probes.find((row) => rowKey(row) === key));
    line([name, found[0]?.before, ...found.map((row) => row?.after)].map(cell));
  }
  line(['seconds', '', ...runs.map(({ seconds }) => seconds.total.toFixed(0))]);
}

function cell(content: string | { value: number } | undefined): string {
  if (typeof content === 'string') return content;
  if (content === undefined) return '–';
  const { value } = content;
  return value >= 10 ? value.toFixed(1) : value > 0 && value < 0.001 ? value.toExponential(0) : value.toFixed(3);
}

function line(cells: readonly string[]): void {
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
}
