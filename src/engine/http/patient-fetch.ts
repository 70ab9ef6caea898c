import type { Clock } from './clock.ts';
import { Failure, statusFailure } from './failure.ts';
import type { Secret } from './secret.ts';
import { type Heard, Transport } from './transport.ts';

type Fetch = (url: string | URL | Request, init?: RequestInit) => Promise<Response>;

/**
 * What the official clients take for `fetch`: hears a reply out within `timeout` milliseconds and redacts it before anybody
 * else sees it. They want a `Response`; its text is kept beside it (`bodyOf`), where it need not be streamed.
 */
export function patientFetch(secret: Secret, timeout: number, clock: Clock) {
  const transport = new Transport();
  const bodies = new WeakMap<Response, string>();
  const fetch: Fetch = async (url, init = {}) => {
    const heard = await patiently(transport, new URL(String(url)), init, timeout, clock); // both clients give an address
    const body = secret.redact(heard.body.toString('utf8'));
    if (heard.status < 200 || heard.status > 299) throw statusFailure(heard.status, heard.headers, body, Date.now());
    const response = new Response(null, { status: heard.status });
    bodies.set(response, body);
    return response;
  };
  return { fetch, bodyOf: (response: Response): string => bodies.get(response) ?? '' };
}

/** The clients' own signal is left out: their time-out ends where the headers come, ours with the last byte. */
async function patiently(
  transport: Transport,
  url: URL,
  { signal: _theirs, ...init }: RequestInit,
  timeout: number,
  clock: Clock,
): Promise<Heard> {
  let stalled = false;
  let stop = () => {};
  const begun = (breakOff: () => void) => {
    stop();
    stop = clock.timer(timeout, () => {
      stalled = true;
      breakOff();
    });
  };
  try {
    return await transport.send(url, init, begun);
  } catch (error) {
    throw stalled ? new Failure('stalled', `no answer within ${timeout / 1000} s`) : error;
  } finally {
    stop();
  }
}
