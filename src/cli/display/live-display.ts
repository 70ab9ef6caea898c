import { MultiBar, type Options } from 'cli-progress';
import pc from 'picocolors';
import type { RunEvent, StepEvent } from '../../record/event.ts';
import { eventLine, followed, shortNumber } from '../../report/event-line.ts';
import { clipped, columnsOf, wrapped } from '../../report/fit.ts';
import { formatSeconds } from '../../report/format.ts';
import { Pace } from '../../report/pace.ts';
import { visibleLine } from '../../visible.ts';
import type { Display } from './display.ts';
import { sparkline } from './sparkline.ts';

/** The widest bar; a narrow terminal has a quarter of its columns for it. */
const BAR_WIDTH = 24;
const SPARK_WIDTH = 16;
/** Shorter work than this needs no clock. */
const CLOCK_AFTER_SECONDS = 2;

/** The terminal. */
type Stream = NodeJS.WritableStream & { readonly columns?: number };

/** The work that the last line shows. */
type Work = {
  readonly title: string;
  readonly since: number;
  readonly share: number;
  /** What is done within it just now, and since when. */
  readonly detail?: { readonly what: string; readonly since: number } | undefined;
  /** Seconds left, as reckoned at a moment; absent until there is something to go by. */
  readonly left?: { readonly seconds: number; readonly at: number } | undefined;
};

/** What happens now on the last line, with a bar, time left and sparklines; what has happened above it. */
export class LiveDisplay implements Display {
  readonly #bars: MultiBar;
  readonly #pace = new Pace();
  #work: Work = begin('');
  #curves = new Map<string, number[]>();

  readonly #stream: Stream;

  constructor(stream: Stream = process.stderr) {
    this.#stream = stream;
    // lines are kept within the terminal here: with its wrapping switched off it would write over its last column
    const look: Options = { stream, hideCursor: true, clearOnComplete: true, linewrap: true, gracefulExit: false };
    this.#bars = new MultiBar({ ...look, format: () => this.#line() }); // drawn anew ten times a second
    this.#bars.create(1, 0);
    process.once('exit', this.#restore);
  }

  event(event: RunEvent): void {
    if (event.kind === 'stage-started') this.#begin(event.stage);
    if (event.kind === 'probe-started') this.#begin(`probe ${event.probe}`);
    if (event.kind === 'step') this.#step(event);
    const line = eventLine(event);
    if (line) this.#bars.log(`${wrapped(line, this.#columns)}\n`);
    this.#bars.update();
  }

  get #columns(): number {
    return columnsOf(this.#stream) ?? 80;
  }

  #begin(title: string): void {
    this.#work = begin(visibleLine(title));
    this.#curves = new Map();
  }

  #step(event: StepEvent): void {
    const done = event.step + 1;
    const left = { seconds: this.#pace.secondsLeft(event), at: performance.now() };
    const title = visibleLine(`${event.stage} ${done}/${event.of}`);
    this.#work = { ...this.#work, title, share: done / event.of, left, detail: undefined };
    for (const [name, value] of followed(event)) {
      this.#curves.set(name, [...(this.#curves.get(name) ?? []), value].slice(-SPARK_WIDTH));
    }
  }

  doing(given: string, share?: number): void {
    const what = visibleLine(given);
    const now = performance.now();
    const since = this.#work.detail?.what === what ? this.#work.detail.since : now;
    this.#work = { ...this.#work, detail: { what, since } };
    if (share) {
      const seconds = ((now - this.#work.since) / 1000) * (1 / share - 1);
      this.#work = { ...this.#work, share, left: { seconds, at: now } };
    }
    this.#bars.update();
  }

  #line(): string {
    const { title, share, detail } = this.#work;
    const width = Math.min(BAR_WIDTH, Math.floor(this.#columns / 4));
    const full = Math.round(share * width);
    const bar = pc.cyan('█'.repeat(full) + '░'.repeat(width - full));
    const curves = [...this.#curves].map(([name, values]) => curve(name, values));
    const line = [bar, title, timeLeft(this.#work), ...curves, detail?.what].filter(Boolean).join('  ');
    return clipped(line, this.#columns - 1); // a full last column would begin another row
  }

  close(): void {
    process.off('exit', this.#restore);
    this.#restore();
  }

  /** The cursor comes back however the process ends. */
  readonly #restore = (): void => this.#bars.stop();
}

function begin(title: string): Work {
  return { title, since: performance.now(), share: 0 };
}

/** `1 min 3 s left`; how long it has taken where nobody can tell; nothing for what is soon over. */
function timeLeft({ since, detail, left }: Work): string {
  const now = performance.now();
  const leftNow = left ? left.seconds - (now - left.at) / 1000 : 0;
  if (leftNow > 0) return pc.dim(`${formatSeconds(leftNow)} left`);
  const seconds = (now - (detail?.since ?? since)) / 1000;
  return seconds < CLOCK_AFTER_SECONDS ? '' : pc.dim(`${formatSeconds(seconds)} so far`);
}

function curve(name: string, values: readonly number[]): string {
  return `${name} ${shortNumber(values.at(-1)!)} ${pc.yellow(sparkline(values, SPARK_WIDTH))}`; // a curve has a point
}
