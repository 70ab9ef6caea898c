import { MultiBar, type SingleBar } from 'cli-progress';
import pc from 'picocolors';
import type { RunEvent, StepEvent } from '../../record/event.ts';
import { formatSeconds } from '../../report/format.ts';
import type { Display } from './display.ts';
import { eventLine, followed, shortNumber } from './event-line.ts';
import { sparkline } from './sparkline.ts';

const FORMAT = `${pc.cyan('{bar}')} {now}`;
const SPARK_WIDTH = 16;
/** Steps over which the time of a step is averaged. */
const PACE_STEPS = 20;

/** What happens now on the last line, with a bar, time left and sparklines; what has happened above it. */
export class LiveDisplay implements Display {
  readonly #bars = new MultiBar({
    format: FORMAT,
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    clearOnComplete: true,
    linewrap: false,
  });
  readonly #bar: SingleBar = this.#bars.create(1, 0, { now: '' });
  #history = new Map<string, number[]>();
  #paces: number[] = [];

  event(event: RunEvent): void {
    if (event.kind === 'stage-started') {
      this.#history = new Map();
      this.#paces = [];
    }
    if (event.kind === 'step') this.#step(event);
    const line = eventLine(event);
    if (line) this.#bars.log(`${line}\n`);
    this.#bars.update();
  }

  #step(event: StepEvent): void {
    const done = event.step + 1;
    this.#paces = [...this.#paces, event.seconds].slice(-PACE_STEPS);
    const pace = this.#paces.reduce((sum, seconds) => sum + seconds, 0) / this.#paces.length;
    const left = `${formatSeconds((event.of - done) * pace)} left`;
    const curves = followed(event).map(([name, value]) => this.#curve(name, value));
    this.#show(done / event.of, [`${event.stage} ${done}/${event.of}`, pc.dim(left), ...curves].join('  '));
  }

  #curve(name: string, value: number): string {
    const values = [...(this.#history.get(name) ?? []), value].slice(-SPARK_WIDTH);
    this.#history.set(name, values);
    return `${name} ${shortNumber(value)} ${pc.yellow(sparkline(values, SPARK_WIDTH))}`;
  }

  doing(what: string, share?: number): void {
    this.#show(share ?? 0, what);
    this.#bars.update();
  }

  #show(share: number, now: string): void {
    this.#bar.update(share, { now });
  }

  close(): void {
    this.#bars.stop();
  }
}
