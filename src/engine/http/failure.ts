import { z } from 'zod';
import { lookUp } from '../../look-up.ts';
import { visibleLine } from '../../visible.ts';
import { retryAfter } from './retry-after.ts';

/**
 * What can go wrong with one request:
 * - `key`, `quota`, `model`, `tls`, `page`: neither asking again nor asking something else would help,
 * - `refused`: this request is not answered, another may be,
 * - `pushback`: too many at once (429, 503, 529),
 * - `server`, `unreachable`, `broken`, `stalled`, `malformed`: the next attempt may do better.
 */
export type FailureKind =
  | 'key'
  | 'quota'
  | 'model'
  | 'refused'
  | 'tls'
  | 'page'
  | 'pushback'
  | 'server'
  | 'unreachable'
  | 'broken'
  | 'stalled'
  | 'malformed';

const HOPELESS: ReadonlySet<FailureKind> = new Set(['key', 'quota', 'model', 'refused', 'tls', 'page']);

/** The server may have worked, and charged, though no reply came. */
const MAYBE_PAID: ReadonlySet<FailureKind> = new Set(['broken', 'stalled', 'malformed', 'page']);

/**
 * One attempt that failed. The reason stands in `line` and never in `message`: the clients look for "timed out" in the
 * message of what their fetch throws, and drop it then.
 */
export class Failure extends Error {
  readonly kind: FailureKind;
  /** For people, one line, redacted by whoever read the body. */
  readonly line: string;
  /** What the server asked for, milliseconds. */
  readonly wait: number | undefined;

  constructor(kind: FailureKind, line: string, wait?: number) {
    super('request failed');
    this.kind = kind;
    this.line = line;
    this.wait = wait;
  }

  get hopeless(): boolean {
    return HOPELESS.has(this.kind);
  }

  get maybePaid(): boolean {
    return MAYBE_PAID.has(this.kind);
  }
}

/** A status that is no success. `body` is redacted. */
export function statusFailure(status: number, headers: Headers, body: string, now: number): Failure {
  const kind = statusKind(status, body);
  return new Failure(kind, statusLine(kind, status, excerpt(body)), retryAfter(headers, now));
}

/**
 * A reply with a status of success that holds an error and nothing else, as proxies and local servers write them. It is
 * treated as the status that the error names, or as the one that servers give such an error.
 */
export function saidFailure(json: unknown): Failure {
  const body = JSON.stringify(json);
  const { error, message, detail } = numbered.safeParse(json).data ?? {};
  const said = JSON.stringify(error ?? message ?? detail ?? '');
  const status = statusSaid(json) ?? STATUSES.find(([words]) => words.test(said))?.[1];
  if (status !== undefined) return statusFailure(status, new Headers(), body, Date.now());
  return new Failure('malformed', `answers without a reply${excerpt(body)}`);
}

/** Errors that are named and not numbered: OpenAI's and Anthropic's types, and what local servers say. */
const STATUSES: readonly (readonly [RegExp, number])[] = [
  [/insufficient_quota|credit balance/i, 402],
  [/authentication|permission_error|invalid.api.key|unauthori[sz]ed/i, 401],
  [/rate.?limit|too many requests/i, 429],
  [/overloaded|\bbusy\b|loading model|try again/i, 503],
  [/model\b[^"]{0,80} (not found|not exist|not loaded)|not_found_error/i, 404],
  [/invalid_request|unexpected endpoint|not supported|context length/i, 400],
];

/** Whether a reply says that it is an error, whatever else it holds. */
export const holdsError = (json: unknown): boolean => Boolean(numbered.safeParse(json).data?.error);

/** `{error: {code: 429}}`, `{error: {status: 429}}`, `{code: 429}`, as numbers or as text. */
function statusSaid(json: unknown): number | undefined {
  const { data } = numbered.safeParse(json);
  const inside = numbered.safeParse(data?.error).data;
  const found = [inside?.code, inside?.status, data?.code, data?.status].map(Number);
  return found.find((number) => number >= 400 && number <= 599);
}

const unknown = z.unknown().optional();
const numbered = z.looseObject({ code: unknown, status: unknown, error: unknown, message: unknown, detail: unknown });

const PUSHBACK = new Set([429, 503, 529]);
const WORTH_ANOTHER_TRY = new Set([408, 409, 425]);
/** A quota that is used up comes as a 400 or a 429 as well, and does not fill up by waiting. */
const USED_UP = /insufficient_quota|credit balance/i;
/** Not what a model is said not to support: "'temperature' is not supported with this model" is another matter. */
const UNKNOWN_MODEL =
  /\bmodel[\s:='"`]*\S{0,80} ((is|was|does|could) )?(not found|not be found|not exist|unknown|invalid)|(not a valid|no such|unknown|invalid|no) model\b/i;

function statusKind(status: number, body: string): FailureKind {
  if (status === 401 || status === 403) return 'key';
  if (status === 402 || (status < 500 && USED_UP.test(body))) return 'quota';
  if (PUSHBACK.has(status)) return 'pushback';
  if (status >= 500 || WORTH_ANOTHER_TRY.has(status)) return 'server';
  if (status === 404 || (status === 400 && UNKNOWN_MODEL.test(body))) return isPage(body) ? 'page' : 'model';
  return status < 400 ? 'page' : 'refused';
}

function statusLine(kind: FailureKind, status: number, said: string): string {
  if (kind === 'key')
    return `the key is not accepted (${status}${said}); set another, or name its variable with --key-env`;
  if (kind === 'page' && status < 400) return `redirects to another address (${status}); give that address`;
  if (kind === 'page') return `there is a web page and no model (${status}); addresses usually end in /v1`;
  if (kind === 'pushback') return `too many requests (${status}${said})`;
  return `answers ${status}${said}`;
}

export const isPage = (body: string): boolean => /^\s*<(!doctype|html)/i.test(body);

const MOST_SAID = 200;

/** What the server said, in one line: `: model "x" is not loaded`; nothing where it sent a page. */
export function excerpt(body: string): string {
  if (isPage(body)) return ': a web page';
  const said = visibleLine((messageIn(body) ?? body).replaceAll(/\s+/g, ' ').trim());
  if (said === '') return '';
  return `: ${said.length > MOST_SAID ? `${said.slice(0, MOST_SAID)}…` : said}`;
}

/** Servers write `{error: {message}}`, `{error: "..."}`, `{message}` or `{detail}`. */
function messageIn(body: string): string | undefined {
  try {
    const { error, message, detail } = JSON.parse(body);
    const found = error?.message ?? error ?? message ?? detail;
    return typeof found === 'string' ? found : undefined;
  } catch {
    return undefined;
  }
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const TLS = /CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO_VERIFY|^EPROTO$/;

/** What fetch threw, or a client around it. */
export function thrownFailure(error: unknown): Failure {
  const causes = causesOf(error);
  const failure = causes.find((cause) => cause instanceof Failure);
  if (failure) return failure;
  const code = causes.map(codeOf).find((one) => one !== undefined) ?? '';
  if (UNREACHABLE.has(code))
    return new Failure('unreachable', `${lookUp(REASONS, code) ?? 'cannot be reached'} (${code})`);
  if (TLS.test(code)) {
    const way = 'give its certificate to Node by NODE_EXTRA_CA_CERTS=FILE';
    return new Failure('tls', `no trusted connection (${code}); ${way}, or mend the address`);
  }
  return new Failure('broken', `the connection broke off${code && ` (${code})`}`);
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; start the server, or mend the address',
  ENOTFOUND: 'no such host; mend the address',
};

function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = [];
  for (let at = error; at !== undefined && causes.length < 8; at = causeOf(at)) causes.push(at);
  return causes;
}

/** Several addresses of one host fail together; the first says why. */
function causeOf(error: unknown): unknown {
  if (error instanceof AggregateError) return error.errors[0];
  return error instanceof Error ? error.cause : undefined;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
