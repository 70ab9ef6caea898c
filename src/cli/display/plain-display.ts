import type { RunEvent, StepEvent } from '../../record/event.ts';
import { eventLine, followed, shortNumber } from '../../report/event-line.ts';
import { formatSeconds } from '../../report/format.ts';
import { Pace } from '../../report/pace.ts';
import { visibleLine } from '../../visible.ts';
import { print } from '../print.ts';
import type { Display } from './display.ts';

/** Lines for a pipe or a log file: every event that is no step, and about ten steps of each stage. */
export class PlainDisplay implements Display {
  readonly #pace = new Pace();
  #doing = '';

  event(event: RunEvent): void {
    if (event.kind === 'step') this.#step(event);
    const line = eventLine(event);
    if (line) print(`${line}\n`);
  }

  #step(event: StepEvent): void {
    const left = this.#pace.secondsLeft(event);
    const done = event.step + 1;
    const tenth = (steps: number) => Math.floor((10 * steps) / event.of);
    if (tenth(done) === tenth(event.step)) return;
    const numbers = followed(event).map(([name, value]) => `${name} ${shortNumber(value)}`);
    const parts = [`${event.stage} ${done}/${event.of}`, `${formatSeconds(left)} left`, ...numbers];
    print(`  ${parts.join('  ')}\n`);
  }

  doing(what: string): void {
    if (what !== this.#doing) print(`  ${visibleLine(what)}\n`);
    this.#doing = what;
  }

  close(): void {}
}
