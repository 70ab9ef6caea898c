import { EndpointError } from '../../errors.ts';
import { type Stream, stream } from '../../random.ts';
import type { Clock } from '../http/clock.ts';
import { Failure } from '../http/failure.ts';
import { AdaptiveLimit } from './adaptive-limit.ts';

export type FlowOptions = {
  /** Most requests in flight. */
  readonly most: number;
  readonly seed: number;
  readonly clock: Clock;
  /** Aborted when the user wants to stop; its reason is what is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Told of every request that is sent again, with the reason. */
  readonly onRetry?: ((line: string) => void) | undefined;
};

/** What a request left behind on its way to a reply. */
export type FlowCount = { requests: number; retries: number; pushbacks: number };

const ATTEMPTS = 8;
/** A reply that came whole and is none was meant so; now and then a proxy fails in this way. */
const ATTEMPTS_AT_NONSENSE = 3;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;
/** So long nothing may get through before it is given up, milliseconds. A wait that the server asks for is no part of it. */
const PATIENCE = 10 * 60_000;
/** A server that asks for more than this is asked again by `--resume`. */
const LONGEST_ASKED = 15 * 60_000;

/**
 * Sends attempts at a pace that the server bears, and again those that failed for a reason that may pass. The first
 * failure for good stops everything that waits: what comes after it would fail too, and cost.
 */
export class Flow {
  readonly count: FlowCount = { requests: 0, retries: 0, pushbacks: 0 };
  readonly #options: FlowOptions;
  readonly #limit: AdaptiveLimit;
  readonly #jitter: Stream;
  readonly #waiting: (() => void)[] = [];
  #inFlight = 0;
  #pausedUntil = 0;
  #lastSuccess: number;
  #everReplied = false;
  #stopped: unknown;

  constructor(options: FlowOptions) {
    this.#options = options;
    this.#lastSuccess = options.clock.now();
    this.#limit = new AdaptiveLimit(options.most, this.#lastSuccess);
    this.#jitter = stream(options.seed, 'jitter');
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Most requests that may ever be in flight. */
  get most(): number {
    return this.#options.most;
  }

  get limit(): number {
    return this.#limit.value;
  }

  /**
   * The result of the first attempt that succeeds.
   * @throws Failure where it is hopeless, EndpointError where it was tried often and long enough.
   */
  async run<T>(attempt: () => Promise<T>, tokensOf: (result: T) => number): Promise<T> {
    for (let tries = 1; ; tries++) {
      const result = await this.#try(attempt, tokensOf);
      if (!(result instanceof Failure)) return result;
      if (result.hopeless) throw result;
      this.#giveUp(result, tries);
      this.count.retries++;
      this.#options.onRetry?.(result.line);
      await this.#backOff(result, tries);
    }
  }

  async #try<T>(attempt: () => Promise<T>, tokensOf: (result: T) => number): Promise<T | Failure> {
    await this.#enter();
    const { clock } = this.#options;
    const since = clock.now();
    this.count.requests++;
    try {
      const result = await attempt();
      this.#everReplied = true;
      this.#lastSuccess = clock.now();
      this.#limit.replied(since, tokensOf(result), this.#lastSuccess);
      return result;
    } catch (error) {
      if (!(error instanceof Failure)) throw this.stop(error);
      if (error.kind === 'pushback' || error.kind === 'stalled') this.#limit.pushedBack(since, clock.now());
      if (error.kind === 'pushback') this.#pause(error);
      return error;
    } finally {
      this.#inFlight--;
      this.#letIn();
    }
  }

  /** Waits for a free place, and for the end of a pause. */
  async #enter(): Promise<void> {
    this.#check();
    if (this.#inFlight >= this.#limit.value) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#inFlight++;
    try {
      const pause = this.#pausedUntil - this.#options.clock.now();
      if (pause > 0) await this.#options.clock.sleep(pause * (1 + 0.1 * this.#jitter.uniform()));
      this.#check();
    } catch (error) {
      this.#inFlight--;
      this.#letIn();
      throw error;
    }
  }

  #letIn(): void {
    while (this.#waiting.length > 0 && (this.#inFlight < this.#limit.value || this.#over())) {
      this.#inFlight++;
      this.#waiting.shift()!(); // not empty
    }
  }

  #over(): boolean {
    return this.#stopped !== undefined || this.#options.signal?.aborted === true;
  }

  #check(): void {
    this.#options.signal?.throwIfAborted();
    if (this.#stopped !== undefined) throw this.#stopped;
  }

  /** Nothing more is sent: whoever waits gets this error. */
  stop(error: unknown): unknown {
    this.#stopped ??= error;
    this.#letIn();
    return error;
  }

  #giveUp(failure: Failure, tries: number): void {
    const { kind, line, wait = 0 } = failure;
    if (kind === 'unreachable' && !this.#everReplied) throw this.stop(new EndpointError(line));
    if (wait > LONGEST_ASKED) {
      throw this.stop(new EndpointError(`${line}; it asks to wait for ${Math.ceil(wait / 60_000)} min`));
    }
    const silent = this.#options.clock.now() - this.#lastSuccess;
    const attempts = kind === 'malformed' ? ATTEMPTS_AT_NONSENSE : ATTEMPTS;
    const lost = kind === 'pushback' ? silent > PATIENCE : tries >= attempts;
    if (lost) throw this.stop(new EndpointError(`${line}, ${tries} times in a row`));
  }

  /** Where the server named a time, nobody asks before it: seen to before anybody else is let in. */
  #pause({ wait = 0 }: Failure): void {
    this.count.pushbacks++;
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#options.clock.now() + wait);
  }

  /** Exponential with jitter. */
  async #backOff({ wait = 0 }: Failure, tries: number): Promise<void> {
    const own = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (tries - 1)) * (0.5 + this.#jitter.uniform());
    await this.#options.clock.sleep(Math.max(own, wait));
  }
}
