import type { Heard } from '../../engine/http/transport.ts';
import { futureAnswer } from '../wire/answers.ts';
import type { FuturePoller } from './future-poller.ts';
import { Refused, type TinkerHttp } from './http.ts';
import type { NumberRules } from './rules.ts';

/** What is asked of a model, by the number that it gets. */
export type Verb = {
  /** Also its path: `optim_step`. */
  readonly name: string;
  /** As `retrieve_future` calls it: `OptimStep`. */
  readonly type: string;
  body(modelId: string, seqId: number): object | Uint8Array;
};

/**
 * One model on a server: its requests are numbered and handed in one after the other, each when the one before is
 * accepted, so that no server has to sort them; results are waited for beside that, so that it never runs dry.
 */
export class RequestSequence {
  readonly modelId: string;
  readonly #http: TinkerHttp;
  readonly #futures: FuturePoller;
  readonly #rules: NumberRules;
  #next: number;
  #last: Promise<unknown> = Promise.resolve();

  /** @param next the number of its next request. */
  constructor(
    { http, futures }: { readonly http: TinkerHttp; readonly futures: FuturePoller },
    modelId: string,
    rules: NumberRules,
    next = 1,
  ) {
    this.#http = http;
    this.#futures = futures;
    this.modelId = modelId;
    this.#rules = rules;
    this.#next = next;
  }

  /**
   * The result of one request.
   * @param first called when it is this request's turn; what it throws keeps the request from being sent.
   * @throws EndpointError naming request and model, with what the server said.
   */
  async run(verb: Verb, first: () => void = () => {}): Promise<Heard> {
    const turn = this.#last.then(() => {
      first();
      return this.#handIn(verb);
    });
    this.#last = turn.catch(() => undefined);
    const { what, requestId, seqId } = await turn;
    try {
      return await this.#futures.result({ what, requestId, type: verb.type });
    } catch (error) {
      if (!this.#rules.failedCounts && this.#next === seqId + 1) this.#next = seqId;
      throw error;
    }
  }

  async #handIn({ name, body }: Verb): Promise<{ what: string; requestId: string; seqId: number }> {
    const seqId = this.#next;
    const what = `${name} ${seqId} of model ${this.modelId}`;
    const call = { what, path: name, body: body(this.modelId, seqId), repeatable: this.#rules.knowsRepeats };
    try {
      const answer = await this.#http.ask(call, futureAnswer.parse);
      this.#next = seqId + 1;
      return { what, requestId: answer.request_id, seqId };
    } catch (error) {
      if (this.#rules.refusedCounts || !(error instanceof Refused)) this.#next = seqId + 1;
      throw error;
    }
  }
}
