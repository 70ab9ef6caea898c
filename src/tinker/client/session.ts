import { Failure } from '../../engine/http/failure.ts';
import { createSessionAnswer } from '../wire/answers.ts';
import { Refused, SDK_VERSION, type TinkerHttp } from './http.ts';

const BEAT_EVERY = 10_000;
const BEAT_TIMEOUT = 10_000;

/**
 * What a service knows this client by. A heartbeat tells it every ten seconds that somebody is there, however long
 * nothing is asked; one that fails is followed by the next.
 */
export class TinkerSession {
  readonly id: string;
  readonly #http: TinkerHttp;
  readonly #timer: NodeJS.Timeout;
  #models = 0;
  #samplers = 0;

  private constructor(http: TinkerHttp, id: string, beatEvery: number) {
    this.#http = http;
    this.id = id;
    this.#timer = setInterval(() => void this.#beat(), beatEvery);
    this.#timer.unref(); // nothing that is waited for depends on it
  }

  /** @throws EndpointError where the service cannot be reached or says no. */
  static async open(http: TinkerHttp, beatEvery = BEAT_EVERY): Promise<TinkerSession> {
    const body = { tags: ['unrut'], user_metadata: {}, sdk_version: SDK_VERSION, type: 'create_session' };
    const answer = await http.ask({ what: 'create_session', path: 'create_session', body }, createSessionAnswer.parse);
    return new TinkerSession(http, answer.session_id, beatEvery);
  }

  /** Numbers of models and of samplers begin at 0, each once. */
  nextModel(): number {
    return this.#models++;
  }

  nextSampler(): number {
    return this.#samplers++;
  }

  /** Servers that keep no sessions are not told. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    const body = { reason: { type: 'success' }, detail: null };
    await this.#http
      .once({ what: 'finish', path: `sessions/${this.id}/finish`, body, timeout: BEAT_TIMEOUT })
      .catch(() => undefined); // it ends by itself when the heartbeat does
  }

  async #beat(): Promise<void> {
    const body = { session_id: this.id, type: 'session_heartbeat' };
    try {
      const { status } = await this.#http.once({
        what: 'session_heartbeat',
        path: 'session_heartbeat',
        body,
        timeout: BEAT_TIMEOUT,
      });
      if (status === 410 || status === 404) clearInterval(this.#timer);
    } catch (error) {
      if (!(error instanceof Failure || error instanceof Refused)) throw error;
    }
  }
}
