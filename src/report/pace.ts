import type { StepEvent } from '../record/event.ts';

/** Steps over which the time of a step is averaged. */
const PACE_STEPS = 20;

/** How long a stage still takes, from the pace of its last steps. */
export class Pace {
  #stage = '';
  #seconds: number[] = [];

  /** Takes a step in; returns the seconds left of its stage. */
  secondsLeft({ stage, step, of, seconds }: StepEvent): number {
    if (stage !== this.#stage) this.#seconds = [];
    this.#stage = stage;
    this.#seconds = [...this.#seconds, seconds].slice(-PACE_STEPS);
    const mean = this.#seconds.reduce((sum, one) => sum + one, 0) / this.#seconds.length;
    return (of - step - 1) * mean;
  }
}
