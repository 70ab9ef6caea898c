import type { AdamParams, Datum, Loss } from '../../engine/engine.ts';
import type { TinkerHttp } from './http.ts';
import { passOutput } from './pass-output.ts';
import type { RequestSequence } from './request-sequence.ts';
import { gradientNormOf } from './step-metrics.ts';
import * as verbs from './verbs.ts';

/** What one `forward_backward` is asked. */
export type Pass = { readonly batch: readonly Datum[]; readonly loss: Loss };

/** Adam without memory: a step is the gradient's alone. */
const FORGETFUL = { beta1: 0, beta2: 0, weightDecay: 0 };
const STILL = { ...FORGETFUL, learningRate: 0, epsilon: 1e-8 };
/** Far above any gradient: a step is then in proportion to it, learningRate / EPSILON times as long. */
const EPSILON = 1e6;

/** A move of a text's logprob by so much, nats, is well above rounding, and small enough for proportion to hold. */
const MOVE = { least: 0.004, most: 0.1 };
const TRIES = 8;

/**
 * How large the gradient of some passes is: its norm, where the server says it, or else how far a step along it moves the
 * first datum's logprob. Comparable among themselves, and with nothing else.
 */
export class GradientGauge {
  readonly #http: TinkerHttp;
  readonly #lane: RequestSequence;
  #norm: boolean | undefined;
  #rate = 1e-3;

  constructor(http: TinkerHttp, lane: RequestSequence) {
    this.#http = http;
    this.#lane = lane;
  }

  /** In words. */
  get how(): string {
    return this.#norm ? 'by the gradient norm that it says' : 'by how far a step in proportion moves a logprob';
  }

  async measure(...passes: Pass[]): Promise<number> {
    if (this.#norm === false) return this.move(passes);
    const norm = await this.#step(passes, STILL);
    this.#norm = Number.isFinite(norm);
    return this.#norm ? norm : this.move(passes);
  }

  /** Of the first datum's logprob, nats per unit of learning rate. */
  async move(passes: readonly Pass[]): Promise<number> {
    for (let tries = 1; ; tries++) {
      const move = await this.moveOnce(passes);
      const factor = move < MOVE.least ? 8 : move > MOVE.most ? 1 / 8 : 1;
      if (factor === 1 || tries === TRIES) return move / this.#rate;
      this.#rate *= factor;
    }
  }

  /** Nats, at the learning rate that did well before. */
  async moveOnce(passes: readonly Pass[], clip: Pick<AdamParams, 'clipNorm'> = {}): Promise<number> {
    const before = await this.#logprob(passes[0]!); // never empty
    await this.#step(passes, { ...FORGETFUL, learningRate: this.#rate * EPSILON, epsilon: EPSILON, ...clip });
    return Math.abs((await this.#logprob(passes[0]!)) - before);
  }

  async #step(passes: readonly Pass[], adam: AdamParams): Promise<number> {
    const all = passes.map(({ batch, loss }) => this.#lane.run(verbs.pass(batch, loss, false)));
    const [heard] = await Promise.all([this.#lane.run(verbs.step(adam)), ...all]);
    return gradientNormOf(this.#http, heard);
  }

  async #logprob({ batch: [datum] }: Pass): Promise<number> {
    const plain = [{ input: datum!.input, targets: datum!.targets }]; // a pass has a datum
    const { body } = await this.#lane.run(verbs.pass(plain, { kind: 'cross_entropy' }, true));
    return passOutput(body, plain, { kind: 'cross_entropy' }).logprobs[0]!.reduce((sum, value) => sum + value, 0);
  }
}
