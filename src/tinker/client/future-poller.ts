import type { Clock } from '../../engine/http/clock.ts';
import { Failure } from '../../engine/http/failure.ts';
import { retryAfter } from '../../engine/http/retry-after.ts';
import type { Heard } from '../../engine/http/transport.ts';
import { type Future, readFuture } from '../wire/answers.ts';
import { type Call, isProtobuf, PROTOBUF, type TinkerHttp } from './http.ts';

/** A result that is waited for. */
export type Awaited = {
  /** For messages, as in {@link Call}. */
  readonly what: string;
  readonly requestId: string;
  /** As the protocol calls it: `OptimStep`. */
  readonly type: string;
};

/** The server has forgotten the request: what only reads may be asked anew. */
export class Lost extends Error {
  override name = 'Lost';
}

/** Called when a result has been waited for long: what for, seconds, and what the server says of its queue. */
export type OnWait = (what: string, seconds: number, queue: string) => void;

/** Servers hold a poll for up to 30 s, and some ten times as long: asking again at once costs nothing. */
const POLL_TIMEOUT = 60_000;
/** Nothing but failures for so long, milliseconds: the server is given up. */
const PATIENCE = 10 * 60_000;
const LONGEST_WAIT = 30_000;
/** A server that says "try again" without having waited is asked less and less often, up to this many milliseconds. */
const LONGEST_PACE = 1000;
/** A 400 may be a proxy's. */
const BAD_REQUESTS = 3;
/** Told to the user each time so many milliseconds are over, of one result for all that are waited for. */
const TOLD_EVERY = 60_000;

/** Waits for results by long polls. Polling takes nothing away: a poll whose answer was lost is made again. */
export class FuturePoller {
  readonly #http: TinkerHttp;
  readonly #clock: Clock;
  readonly #onWait: OnWait;
  #told = Number.NEGATIVE_INFINITY;

  constructor(http: TinkerHttp, onWait: OnWait) {
    this.#http = http;
    this.#clock = http.clock;
    this.#onWait = onWait;
  }

  /**
   * @throws EndpointError with what the server said where the request failed, Refused where the poll is refused, Lost
   * where the server does not have it any more.
   */
  async result(awaited: Awaited): Promise<Heard> {
    const wait = new Wait(this.#clock, (seconds, queue) => this.#tell(awaited.what, seconds, queue));
    for (let poll = 0; ; poll++) {
      const heard = await this.#poll(awaited, poll);
      if (!(heard instanceof Failure) && (heard.status < 300 || heard.status === 408)) {
        const future = this.#read(awaited, heard);
        if (future.state === 'done') return heard;
        if (future.state === 'failed') throw this.#http.error(awaited, `failed (${future.category}): ${future.error}`);
        await wait.queued(future.state === 'pending' ? future.queueState : 'active');
      } else await wait.failed(this.#passing(awaited, heard, wait));
    }
  }

  #tell(what: string, seconds: number, queue: string): void {
    const now = this.#clock.now();
    if (now - this.#told < TOLD_EVERY) return;
    this.#told = now;
    this.#onWait(what, seconds, queue);
  }

  async #poll({ requestId, type, what }: Awaited, poll: number): Promise<Heard | Failure> {
    const call: Call = {
      what,
      path: 'retrieve_future',
      body: { request_id: requestId, allow_metadata_only: false },
      headers: {
        'X-Tinker-Request-Iteration': String(poll),
        'X-Tinker-Request-Type': type,
        Accept: BINARY.has(type) ? PROTOBUF : 'application/json',
      },
      timeout: POLL_TIMEOUT,
    };
    try {
      return await this.#http.once(call);
    } catch (error) {
      if (error instanceof Failure) return error;
      throw error;
    }
  }

  #read(awaited: Awaited, heard: Heard): Future {
    if (heard.status < 300 && isProtobuf(heard)) return { state: 'done', result: '' };
    if (heard.status < 300) return this.#http.read(awaited, heard, readFuture);
    return { state: 'pending', queueState: 'active', reason: undefined };
  }

  /** A failure that may pass, as the time to wait. @throws where it will not. */
  #passing(awaited: Awaited, heard: Heard | Failure, wait: Wait): number {
    if (heard instanceof Failure) {
      if (heard.kind === 'stalled') return 0;
      if (heard.hopeless || wait.lost) throw this.#http.error(awaited, heard.line);
      return wait.backOff;
    }
    if (heard.status === 410) throw new Lost(this.#http.refusal(awaited, heard).message);
    const proxys = heard.status === 400 && ++wait.badRequests < BAD_REQUESTS;
    const passing = heard.status === 429 || heard.status >= 500 || proxys;
    if (!passing || wait.lost) throw this.#http.refusal(awaited, heard);
    return retryAfter(heard.headers, Date.now()) ?? wait.backOff;
  }
}

/** Requests whose results are protobuf. */
const BINARY = new Set(['ForwardBackward', 'Forward', 'Sample']);

/** How long one result has been waited for, and how often in vain. */
class Wait {
  failures = 0;
  badRequests = 0;
  readonly #clock: Clock;
  readonly #tell: (seconds: number, queue: string) => void;
  readonly #since: number;
  #told: number;
  #asked: number;
  #answered: number;
  #pace = 10;

  constructor(clock: Clock, tell: (seconds: number, queue: string) => void) {
    this.#clock = clock;
    this.#tell = tell;
    this.#since = this.#told = this.#asked = this.#answered = clock.now();
  }

  get lost(): boolean {
    return this.#clock.now() - this.#answered > PATIENCE;
  }

  /** Exponential, milliseconds. */
  get backOff(): number {
    return Math.min(LONGEST_WAIT, 250 * 2 ** this.failures);
  }

  /** The server is there and has no result yet: asked again at once, if it took its time to say so. */
  async queued(queue: string): Promise<void> {
    this.failures = 0;
    const now = this.#clock.now();
    if (now - this.#asked < LONGEST_PACE) {
      await this.#clock.sleep(this.#pace);
      this.#pace = Math.min(LONGEST_PACE, 2 * this.#pace);
    }
    this.#answered = now;
    this.#next(queue);
  }

  async failed(milliseconds: number): Promise<void> {
    this.failures++;
    if (milliseconds > 0) await this.#clock.sleep(milliseconds);
    this.#next('no answer');
  }

  #next(queue: string): void {
    this.#asked = this.#clock.now();
    if (this.#asked - this.#told < TOLD_EVERY) return;
    this.#told = this.#asked;
    this.#tell(Math.round((this.#asked - this.#since) / 1000), queue);
  }
}
