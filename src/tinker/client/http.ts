import type { Clock } from '../../engine/http/clock.ts';
import { excerpt, Failure, thrownFailure } from '../../engine/http/failure.ts';
import { retryAfter } from '../../engine/http/retry-after.ts';
import type { Secret } from '../../engine/http/secret.ts';
import { type Heard, Transport } from '../../engine/http/transport.ts';
import { EndpointError } from '../../errors.ts';
import { type Stream, stream } from '../../random.ts';
import { parseJson } from '../wire/json.ts';

/** One request of the Tinker API. */
export type Call = {
  /** For messages: `forward_backward 12 of model s1:train:0`. */
  readonly what: string;
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** Under `/api/v1/`. */
  readonly path: string;
  /** JSON, or bytes that are protobuf. */
  readonly body?: object | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds to the last byte of the answer. */
  readonly timeout?: number;
  /** Whether the server knows a request again that it has had: only then is one repeated whose answer was lost. */
  readonly repeatable?: boolean;
  /** Whether "too many requests" (429) is the caller's to deal with. */
  readonly ownPace?: boolean;
  /** Whether a redirection is an answer. */
  readonly redirects?: boolean;
};

/** An answer for good that is no success. */
export class Refused extends EndpointError {
  override name = 'Refused';
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** A refusal that says that there is no such address, or none for this method. */
export const isNotThere = (error: unknown): error is Refused =>
  error instanceof Refused && (error.status === 404 || error.status === 405);

export type HttpOptions = {
  readonly clock: Clock;
  /** Of the jitter between two tries. */
  readonly seed: number;
  /** So long a request is repeated before it is given up, milliseconds; five minutes where nothing is said. */
  readonly patience?: number;
};

export const PROTOBUF = 'application/x-protobuf';

export const isProtobuf = ({ headers }: Heard): boolean => headers.get('content-type')?.startsWith(PROTOBUF) ?? false;

/** The newest SDK whose protocol this client speaks: servers turn away what they find too old. */
export const SDK_VERSION = '0.38.0';

const TIMEOUT = 60_000;
/** Bytes a millisecond: 0.8 Mbit/s. */
const SLOWEST_UPLOAD = 100;
const PATIENCE = 5 * 60_000;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;

/** Sends requests to one server, and again those whose failure may pass. Everything that people read is redacted. */
export class TinkerHttp {
  readonly address: string;
  readonly clock: Clock;
  readonly #base: URL;
  readonly #secret: Secret;
  readonly #jitter: Stream;
  readonly #patience: number;
  readonly #kept = new Transport();
  readonly #single = new Transport(false);
  #everAnswered = false;

  constructor(baseUrl: string, secret: Secret, { clock, seed, patience = PATIENCE }: HttpOptions) {
    this.address = baseUrl.replace(/\/+$/, '');
    this.#base = new URL(`${this.address}/api/v1/`);
    this.#secret = secret;
    this.clock = clock;
    this.#jitter = stream(seed, 'tinker', 'jitter');
    this.#patience = patience;
  }

  close(): void {
    this.#kept.close();
    this.#single.close();
  }

  /**
   * The answer of a request, whatever its status. An address of its own, as an archive has, is asked without the key.
   * @throws Failure where none came.
   */
  async once(call: Call): Promise<Heard> {
    const url = new URL(call.path, this.#base);
    let stalled = false;
    let breakOff = () => {};
    const timer = setTimeout(() => {
      stalled = true;
      breakOff();
    }, timeoutOf(call));
    const transport = call.repeatable === false ? this.#single : this.#kept;
    try {
      const headers = { ...bodyHeaders(call), ...(this.#isOwn(url) ? this.#ownHeaders() : {}), ...call.headers };
      const init = { method: call.method ?? 'POST', headers, body: bodyOf(call) };
      const heard = await transport.send(url, init, (breaks) => {
        breakOff = breaks;
      });
      this.#everAnswered = true;
      return heard;
    } catch (error) {
      if (stalled) throw new Failure('stalled', `no answer within ${Math.round(timeoutOf(call) / 1000)} s`);
      throw thrownFailure(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * The answer of a request that succeeded, repeated while its failure may pass.
   * @throws Refused where the server says no, EndpointError where it was tried long enough.
   */
  async send(call: Call): Promise<Heard> {
    const since = this.clock.now();
    for (let tries = 1; ; tries++) {
      const failure = await this.#attempt(call);
      if (!(failure instanceof Failure)) return failure;
      if (failure.hopeless || (failure.kind === 'unreachable' && !this.#everAnswered))
        throw this.error(call, failure.line);
      if (call.repeatable === false && failure.maybePaid) throw this.error(call, `${failure.line}; ${UNKNOWN}`);
      const wait = this.#wait(failure, tries);
      if (this.clock.now() + wait - since > this.#patience)
        throw this.error(call, `${failure.line}, ${tries} times in a row`);
      await this.clock.sleep(wait);
    }
  }

  /** The JSON of an answer. @throws Refused, EndpointError as {@link send}, also where it is not what `read` takes. */
  async ask<T>(call: Call, read: (json: unknown) => T): Promise<T> {
    return this.read(call, await this.send(call), read);
  }

  read<T>(call: Pick<Call, 'what'>, { body }: Heard, read: (json: unknown) => T): T {
    const text = this.#secret.redact(body.toString('utf8'));
    try {
      return read(parseJson(text));
    } catch {
      throw this.error(call, `answers what the protocol does not know${excerpt(text)}`);
    }
  }

  error(call: Pick<Call, 'what'>, line: string): EndpointError {
    return new EndpointError(`${this.address}: ${call.what}: ${line}`);
  }

  refusal(call: Pick<Call, 'what'>, { status, body }: Heard): Refused {
    return new Refused(`${this.address}: ${call.what}: answers ${status}${this.said(body)}`, status);
  }

  /** What the server said, in one line that begins with a colon; nothing where it said nothing. */
  said(body: Buffer): string {
    return excerpt(this.#secret.redact(body.toString('utf8')));
  }

  /** A pause before the next try, milliseconds; where the server named a time, nobody asks before it. */
  #wait({ wait = 0 }: Failure, tries: number): number {
    return Math.max(wait, Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (tries - 1)) * (0.5 + this.#jitter.uniform()));
  }

  async #attempt(call: Call): Promise<Heard | Failure> {
    try {
      const heard = await this.once(call);
      if (heard.status < (call.redirects ? 400 : 300)) return heard;
      if (!mayPass(heard.status) || (call.ownPace && heard.status === 429)) throw this.refusal(call, heard);
      const kind = heard.status === 429 ? 'pushback' : 'broken';
      return new Failure(
        kind,
        `answers ${heard.status}${this.said(heard.body)}`,
        retryAfter(heard.headers, Date.now()),
      );
    } catch (error) {
      if (error instanceof Failure) return error;
      throw error;
    }
  }

  #isOwn(url: URL): boolean {
    return url.origin === this.#base.origin;
  }

  #ownHeaders(): Record<string, string> {
    const key = this.#secret.key;
    return { 'X-Sdk-Version': SDK_VERSION, ...(key === undefined ? {} : { 'X-API-Key': key }) };
  }
}

const UNKNOWN = 'whether it was carried out is not known, and this server does not know a repeat; go on with --resume';

/** Statuses that another try may mend. A conflict (409) is none: it says that something else was meant. */
const mayPass = (status: number): boolean => status === 408 || status === 429 || status >= 500;

/** The time to the answer, and for a large body the time that it takes on a slow line. */
function timeoutOf(call: Call): number {
  return (call.timeout ?? TIMEOUT) + (bodyOf(call)?.length ?? 0) / SLOWEST_UPLOAD;
}

function bodyOf({ body }: Call): Uint8Array | string | null {
  if (body === undefined) return null;
  return body instanceof Uint8Array ? body : JSON.stringify(body);
}

function bodyHeaders({ body }: Call): Record<string, string> {
  if (body === undefined) return {};
  return { 'Content-Type': body instanceof Uint8Array ? PROTOBUF : 'application/json' };
}
