import { availableParallelism, cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { type Subjects, startSubjects } from './peers.ts';
import type { SubjectProcess } from './subject.ts';
import { type Result, realWorks, type Work, works } from './work.ts';

/**
 * @file `npm run bench` measures this engine; with `--peers` the same work in PyTorch and TRL beside it, in interleaved
 * rounds (one of ours, one of theirs, and again), so that what the machine does otherwise hits both. Ratios are per
 * round, median with the smallest and largest. `--clock cpu` compares processor time instead: for a busy machine.
 * `--size 135m` does so with a model of real size, on two threads, beside transformers and PEFT.
 */

const { values: options } = parseArgs({
  options: {
    peers: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string' },
    size: { type: 'string', default: 'small' },
    only: { type: 'string', default: '' },
    clock: { type: 'string', default: 'wall' },
  },
});

type Row = {
  readonly name: string;
  readonly unit: string;
  readonly bar: number | undefined;
  readonly ours: number[];
  /** The faster of the peer's ways, round by round. */
  readonly theirs: number[];
  /** The most memory of each subject's process so far, ours first; 0 where it does not say. */
  readonly peaks: number[];
};

const speed = ({ amount, seconds, cpuSeconds }: Result): number =>
  amount / (options.clock === 'cpu' ? cpuSeconds : seconds);

async function measure(work: Work, { ours, peers }: Subjects): Promise<Row> {
  const { name, unit, bar, task } = work;
  const row: Row = { name, unit, bar, ours: [], theirs: [], peaks: [] };
  const all: readonly SubjectProcess[] = [ours, ...peers[work.peer]];
  for (const subject of all) await subject.run(task); // sessions, caches and clocks warm up
  for (let round = 0; round < Number(options.rounds); round++) {
    const speeds: number[] = [];
    for (const [nth, subject] of all.entries()) {
      const result = await subject.run(task);
      speeds.push(speed(result));
      row.peaks[nth] = result.peakBytes ?? 0;
    }
    row.ours.push(speeds[0]!);
    if (speeds.length > 1) row.theirs.push(Math.max(...speeds.slice(1)));
  }
  return row;
}

type Spread = { readonly median: number; readonly min: number; readonly max: number };

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
  return { median: middle, min: sorted[0]!, max: sorted.at(-1)! };
}

const ratios = ({ ours, theirs }: Row): number[] => theirs.map((their, round) => ours[round]! / their);

function print(row: Row): void {
  const short = (value: number) => (value < 100 ? value.toPrecision(3) : value.toFixed(0));
  const cell = ({ median, min, max }: Spread) => `${short(median)} [${short(min)}..${short(max)}]`;
  const cells = [row.name.padEnd(22), `${cell(spread(row.ours))} ${row.unit}`.padEnd(36)];
  if (row.theirs.length > 0) {
    const ratio = spread(ratios(row));
    const verdict = row.bar === undefined ? '' : `bar ${row.bar}: ${ratio.median >= row.bar ? 'met' : 'missed'}`;
    cells.push(cell(spread(row.theirs)).padEnd(26), `x ${cell(ratio)}`.padEnd(24), verdict);
  }
  const peaks = row.peaks.filter((bytes) => bytes > 0).map((bytes) => `${(bytes / 1e9).toFixed(1)} GB`);
  if (peaks.length > 0) cells.push(`peak so far ${peaks.join(', ')}`);
  process.stdout.write(`${cells.join(' ').trimEnd()}\n`);
}

const isReal = options.size === '135m';
const threads = Number(options.threads ?? (isReal ? 2 : 1));
const machine = { cpu: cpus()[0]?.model, cores: availableParallelism(), node: process.version, load: loadavg()[0]! };
const subjects = await startSubjects(threads, options.peers, isReal);
const names = [subjects.ours, ...Object.values(subjects.peers).flat()].map(({ name }) => name);
if (!options.json) {
  const load = `load ${machine.load.toFixed(1)}${machine.load > 0.5 ? ': the machine is busy, trust ratios only' : ''}`;
  process.stdout.write(`${machine.cores} x ${machine.cpu}, Node ${machine.node}, ${load}\n`);
  process.stdout.write(`${[...new Set(names)].join(', ')}; ${threads} thread(s), ${options.clock} clock\n`);
  for (const reason of subjects.skipped) process.stdout.write(`skipped ${reason}\n`);
}
const rows: Row[] = [];
for (const work of (isReal ? realWorks : works).filter(({ name }) => name.includes(options.only))) {
  rows.push(await measure(work, subjects));
  if (!options.json) print(rows.at(-1)!);
}
if (options.json) {
  const results = rows.map((row) => ({ ...row, ratio: row.theirs.length > 0 ? spread(ratios(row)) : undefined }));
  process.stdout.write(`${JSON.stringify({ machine, names, skipped: subjects.skipped, options, results }, null, 2)}\n`);
}
for (const subject of [subjects.ours, ...Object.values(subjects.peers).flat()]) subject.stop();
process.exit();
