import { futureAnswer } from '../wire/answers.ts';
import type { TinkerConnection } from './connection.ts';
import { type Finding, finding } from './finding.ts';
import type { NumberRules } from './rules.ts';
import { allowed } from './training-conformance.ts';
import * as verbs from './verbs.ts';

/** What was found, and the number of the next request. */
export type Numbers = { readonly rules: NumberRules; readonly findings: readonly Finding[]; readonly next: number };

/** On a model that has not been asked anything yet. */
export function measureNumbers(service: TinkerConnection, modelId: string): Promise<Numbers> {
  return new NumberConformance(service, modelId).run();
}

/** How requests are numbered: what a repeat does, and whether one that comes to nothing uses its number. */
class NumberConformance {
  readonly #service: TinkerConnection;
  readonly #modelId: string;
  #next = 1;

  constructor(service: TinkerConnection, modelId: string) {
    this.#service = service;
    this.#modelId = modelId;
  }

  async run(): Promise<Numbers> {
    const knowsRepeats = await this.#repeats();
    const refused = await this.#counts(verbs.passOf(this.#modelId, [HARD], 'no_such_loss'));
    const failed = await this.#counts((number) => verbs.pass([SOFT], CROSS_ENTROPY, true).body(this.#modelId, number));
    const [refusedCounts, failedCounts] = [refused.refused ?? true, failed.failed ?? refused.failed ?? true];
    return {
      rules: { refusedCounts, failedCounts, knowsRepeats },
      findings: [
        finding('repeats', knowsRepeats, knowsRepeats ? 'a request that comes twice is carried out once' : REPEATS),
        finding('refused numbers', refusedCounts, said(refusedCounts)),
        finding('failed numbers', failedCounts, said(failedCounts)),
      ],
      next: this.#next,
    };
  }

  async #repeats(): Promise<boolean> {
    const number = this.#next++;
    const first = await this.#handIn(this.#right(number), number);
    await this.#result(first, number);
    const again = await allowed(this.#handIn(this.#right(number), number));
    return again === first && (await allowed(this.#result(first, number))) !== undefined;
  }

  /** Whether a request that comes to nothing used its number: by the next one, that takes it again. */
  async #counts(wrong: (number: number) => object | Uint8Array): Promise<{ refused?: boolean; failed?: boolean }> {
    const number = this.#next++;
    const accepted = await allowed(this.#handIn(wrong(number), number));
    if (accepted !== undefined && (await allowed(this.#result(accepted, number))) !== undefined) return {};
    const again = await allowed(this.#handIn(this.#right(number), number));
    const counts = again === undefined || (await allowed(this.#result(again, number))) === undefined;
    return accepted === undefined ? { refused: counts } : { failed: counts };
  }

  #right(number: number): object | Uint8Array {
    return verbs.pass([HARD], CROSS_ENTROPY, true).body(this.#modelId, number);
  }

  async #handIn(body: object | Uint8Array, number: number): Promise<string> {
    const call = { what: this.#what(number), path: 'forward_backward', body };
    return (await this.#service.http.ask(call, futureAnswer.parse)).request_id;
  }

  #result(requestId: string, number: number): Promise<unknown> {
    return this.#service.futures.result({ what: this.#what(number), requestId, type: 'Forward' });
  }

  #what(number: number): string {
    return `forward_backward ${number} of model ${this.#modelId}`;
  }
}

const CROSS_ENTROPY = { kind: 'cross_entropy' } as const;

const HARD = { input: [1, 2], targets: [2, 1] };

/** Some servers find out only when they compute that they cannot. */
const SOFT = {
  input: [1, 2],
  targets: { tokens: Int32Array.of(2, 1, 1, 2), probabilities: Float32Array.of(1, 0, 1, 0), k: 2 },
};

const said = (counts: boolean): string => (counts ? 'count' : 'do not count: a number is used again');

const REPEATS = 'a request that comes twice is not known again: none is repeated whose answer was lost';
