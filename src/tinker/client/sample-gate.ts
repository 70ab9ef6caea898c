import type { Clock } from '../../engine/http/clock.ts';
import { Refused } from './http.ts';

/** Most samples in flight, and most for a while after the server said that these are too many. */
const MOST = 400;
const THROTTLED = 10;
const THROTTLED_FOR = 10_000;

/** Pauses that the protocol asks for, milliseconds, by whether the prompt is long: the server has to store it. */
const PAUSE = 1000;
const LONG_PAUSE = 5000;
const LONG_PROMPT = 128 * 1024;

/** Nothing but "too many" for so long, milliseconds: the server is given up. */
const PATIENCE = 10 * 60_000;

/** Keeps the samples in flight bounded, for all samplers of a service together, and heeds a server that pushes back. */
export class SampleGate {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #inFlight = 0;
  #pausedUntil = 0;
  #throttledUntil = 0;
  #accepted: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#accepted = clock.now();
  }

  /** @param bytes of the request. @throws what `attempt` throws, a 429 only when it has gone on for long. */
  async run<Result>(bytes: number, attempt: () => Promise<Result>): Promise<Result> {
    for (;;) {
      await this.#enter();
      try {
        const result = await attempt();
        this.#accepted = this.#clock.now();
        return result;
      } catch (error) {
        if (!(error instanceof Refused) || error.status !== 429) throw error;
        if (this.#clock.now() - this.#accepted > PATIENCE) throw error;
        this.#pushedBack(bytes);
      } finally {
        this.#inFlight--;
        this.#letIn();
      }
    }
  }

  async #enter(): Promise<void> {
    if (this.#inFlight >= this.#limit) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#inFlight++;
    for (let pause = this.#pause; pause > 0; pause = this.#pause) await this.#clock.sleep(pause);
  }

  get #pause(): number {
    return this.#pausedUntil - this.#clock.now();
  }

  get #limit(): number {
    return this.#clock.now() < this.#throttledUntil ? THROTTLED : MOST;
  }

  #pushedBack(bytes: number): void {
    const now = this.#clock.now();
    this.#pausedUntil = Math.max(this.#pausedUntil, now + (bytes > LONG_PROMPT ? LONG_PAUSE : PAUSE));
    this.#throttledUntil = this.#pausedUntil + THROTTLED_FOR;
  }

  #letIn(): void {
    let free = this.#limit - this.#inFlight;
    while (free-- > 0 && this.#waiting.length > 0) this.#waiting.shift()!(); // not empty
  }
}
