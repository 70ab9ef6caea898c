import type { Datum, Loss, TokenIds } from '../../engine/engine.ts';
import { EndpointError, EngineError, WireError } from '../../errors.ts';
import { type Finding, finding } from './finding.ts';
import { GradientGauge, type Pass } from './gradient-gauge.ts';
import type { TinkerHttp } from './http.ts';
import { asMeans } from './mean-losses.ts';
import { passOutput } from './pass-output.ts';
import type { RequestSequence } from './request-sequence.ts';
import type { Rules } from './rules.ts';
import * as verbs from './verbs.ts';

/** What a server does with losses. */
export type TrainingFindings = {
  readonly findings: readonly Finding[];
  /** Undefined where it is neither sums nor means that can be made into sums. */
  readonly reduction: Rules['reduction'] | undefined;
  readonly signedWeights: boolean;
  readonly softTargets: boolean;
  readonly losses: ReadonlySet<Loss['kind']>;
};

const CROSS_ENTROPY: Loss = { kind: 'cross_entropy' };

/** Agreement of two gradients whose ratio is a small whole number, whatever rounding and the steps between did. */
const near = (one: number, other: number): boolean => Math.abs(one / other - 1) < 0.25;

/** Undefined where the server refuses, or answers what does not fit. */
export async function allowed<Result>(asking: Promise<Result>): Promise<Result | undefined> {
  try {
    return await asking;
  } catch (error) {
    if (isAnswer(error)) return undefined;
    throw error;
  }
}

/** What a server says no with, or says wrongly; anything else is a mistake here. */
export function isAnswer(error: unknown): error is Error {
  return error instanceof EndpointError || error instanceof EngineError || error instanceof WireError;
}

/** Measures how a server takes losses, on a model that nothing else is done with. */
export async function measureTraining(
  http: TinkerHttp,
  lane: RequestSequence,
  vocabulary: number,
): Promise<TrainingFindings> {
  return new TrainingConformance(http, lane, vocabulary).run();
}

class TrainingConformance {
  readonly #lane: RequestSequence;
  readonly #gauge: GradientGauge;
  readonly #input: TokenIds;
  readonly #targets: TokenIds;

  constructor(http: TinkerHttp, lane: RequestSequence, vocabulary: number) {
    this.#lane = lane;
    this.#gauge = new GradientGauge(http, lane);
    const ids = Array.from({ length: 9 }, (_, at) => (5 + 3 * at) % vocabulary);
    this.#input = ids.slice(0, -1);
    this.#targets = ids.slice(1);
  }

  async run(): Promise<TrainingFindings> {
    const losses = await this.#losses();
    const softTargets = await this.#softTargets();
    const plain = await this.#gauge.measure(this.#pass(1));
    const [reduction, reduced] = await this.#reduction(plain, losses.has('cispo'));
    const clipping = await this.#clipping();
    const signed = await this.#signedWeights(plain); // last: it may blow the model up
    const names = [...losses].join(', ');
    return {
      findings: [
        reduced,
        finding('losses', losses.size === ALL_LOSSES.length, `knows ${names}`),
        finding(
          'soft targets',
          softTargets,
          softTargets ? 'several targets a position, as asked' : 'refused or ignored',
        ),
        clipping,
        finding(
          'signed weights',
          signed,
          signed ? 'weights may sum to 0' : 'weights that sum to 0 blow the gradient up',
        ),
      ],
      reduction,
      signedWeights: signed || reduction === 'mean',
      softTargets,
      losses,
    };
  }

  #datum(weight: number): Datum {
    return { input: this.#input, targets: this.#targets, weights: this.#input.map(() => weight) };
  }

  #pass(...weights: number[]): Pass {
    return { batch: weights.map((weight) => this.#datum(weight)), loss: CROSS_ENTROPY };
  }

  async #forward(batch: readonly Datum[], loss: Loss): Promise<Float32Array[]> {
    const { body } = await this.#lane.run(verbs.pass(batch, loss, true));
    return [...passOutput(body, batch, loss).logprobs];
  }

  async #losses(): Promise<Set<Loss['kind']>> {
    const known = new Set<Loss['kind']>(['cross_entropy']);
    const streams = { logprobs: this.#input.map(() => -1), advantages: this.#input.map(() => 1) };
    for (const loss of ALL_LOSSES) {
      if (loss.kind === 'cross_entropy') continue;
      const batch = [{ input: this.#input, targets: this.#targets, ...streams }];
      if (await allowed(this.#forward(batch, loss))) known.add(loss.kind);
    }
    return known;
  }

  /** A target that has all the probability is a hard target: the logprobs have to agree. */
  async #softTargets(): Promise<boolean> {
    const [hard] = await this.#forward([this.#datum(1)], CROSS_ENTROPY);
    const tokens = Int32Array.from(this.#targets.flatMap((target) => [target, this.#input[0]!]));
    const targets = { tokens, probabilities: Float32Array.from(tokens, (_, at) => 1 - (at % 2)), k: 2 };
    const soft = await allowed(this.#forward([{ input: this.#input, targets }], CROSS_ENTROPY));
    return soft?.[0]?.every((value, at) => Math.abs(value - hard![at]!) < 1e-3) ?? false;
  }

  async #reduction(plain: number, cispo: boolean): Promise<[Rules['reduction'] | undefined, Finding]> {
    const doubled = await this.#gauge.measure(this.#pass(2));
    const twice = await this.#gauge.measure(this.#pass(1, 1));
    const calls = await this.#gauge.measure(this.#pass(1), this.#pass(1));
    const all = [doubled, twice, calls];
    const said = `weights 2, two copies and two calls give ${all.map((one) => (one / plain).toFixed(2)).join(', ')} times the gradient of one, ${this.#gauge.how}`;
    if (all.every((one) => near(one, 2 * plain))) return ['sum', finding('losses add up', true, `sums: ${said}`)];
    const means = all.every((one) => near(one, plain)) && cispo && (await this.#meansMended());
    const how = means ? '; cross entropy is asked for as cispo at ratio 1, scaled by length and count' : '';
    return [
      means ? 'mean' : undefined,
      finding('losses add up', false, `${means ? 'means' : 'neither'}: ${said}${how}`),
    ];
  }

  /** Whether the other words of `asMeans` bring sums about: in weights, in copies, and in the length. */
  async #meansMended(): Promise<boolean> {
    const measure = (...batch: Datum[]) => {
      const pass = asMeans(batch, CROSS_ENTROPY, batch.length);
      return this.#gauge.measure(pass);
    };
    const one = await measure(this.#datum(1));
    const padded = {
      input: [...this.#input, ...this.#input],
      targets: [...this.#targets, ...this.#targets],
      weights: [...this.#input.map(() => 1), ...this.#input.map(() => 0)],
    };
    const [doubled, twice, long] = [
      await measure(this.#datum(2)),
      await measure(this.#datum(1), this.#datum(1)),
      await measure(padded),
    ];
    return near(doubled, 2 * one) && near(twice, 2 * one) && near(long, one);
  }

  /** A step along a gradient that is clipped to next to nothing goes nowhere. */
  async #clipping(): Promise<Finding> {
    const free = await this.#gauge.move([this.#pass(1)]);
    if (!(free > 0))
      return finding('clipping', false, 'cannot be told: a step in proportion to the gradient moves nothing');
    const open = await this.#gauge.moveOnce([this.#pass(1)]);
    const held = await this.#gauge.moveOnce([this.#pass(1)], { clipNorm: 1e-6 });
    const clips = held < open / 2;
    return finding(
      'clipping',
      clips,
      clips ? 'grad_clip_norm is heeded' : 'grad_clip_norm is ignored: nothing is clipped',
    );
  }

  async #signedWeights(plain: number): Promise<boolean> {
    const weights = this.#input.map((_, at) => (at % 2 === 0 ? 1 : -1));
    const batch = [{ input: this.#input, targets: this.#targets, weights }];
    const signed = await allowed(this.#gauge.measure({ batch, loss: CROSS_ENTROPY }));
    return signed !== undefined && signed < 30 * plain;
  }
}

const ALL_LOSSES: readonly Loss[] = [
  CROSS_ENTROPY,
  { kind: 'importance_sampling' },
  { kind: 'ppo', low: 0.8, high: 1.2 },
  { kind: 'cispo', low: 0.8, high: 1.2 },
  { kind: 'dro', beta: 0.05 },
];
