import type { Policy } from '../../engine/engine.ts';
import { stream } from '../../random.ts';
import { quantile } from '../../stats/quantile.ts';
import { grown } from './corpus.ts';
import { type Formula, functionOf } from './formula.ts';
import { formulaDatum, rolloutDatum, type Written, write } from './formula-model.ts';
import { isLaw, type Verifier } from './verifiers.ts';

/** What a search came to: verifier calls until the law was written, and the best formula that it met. */
export type Search = {
  readonly hitAt: number | null;
  readonly calls: number;
  readonly best: Formula;
  readonly score: number;
  readonly functions: number;
};

export const METHODS = ['grammar', 'frozen model', 'mean baseline', 'risk-seeking', 'priority queue'] as const;
export type Method = (typeof METHODS)[number];

export type SearchSize = {
  readonly calls: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly seed: number;
  progress(share: number): void;
};

const ADAM = { beta1: 0.9, beta2: 0.99, epsilon: 1e-9, weightDecay: 0, clipNorm: 1 } as const;

/** Formulas that the queue keeps (Liang et al. 2018); share of the best that risk-seeking learns from (Petersen et al. 2021). */
const KEPT = 50;
const RISK = 0.05;

type Scored = Written & { readonly score: number };

/** Writes formulas, has them scored, and learns from the scores as its method says, until the calls are spent. */
export async function search(policy: Policy, method: Method, verifier: Verifier, size: SearchSize): Promise<Search> {
  let state: Search = { hitAt: null, calls: 0, best: ['u'], score: -1, functions: 0 };
  const seen = new Set<string>();
  const queue = new Map<string, Scored>();
  for (let step = 0; state.calls < size.calls; step++) {
    const written = await drawn(policy, method, size, step);
    const scored = written.map(
      (one): Scored => ({ ...one, score: one.formula === undefined ? 0 : verifier.score(one.formula) }),
    );
    state = noted(state, scored, seen);
    await learn(policy, method, scored, queue, size.learningRate);
    size.progress(state.calls / size.calls);
  }
  return { ...state, functions: seen.size };
}

async function drawn(policy: Policy, method: Method, { batch, seed }: SearchSize, step: number): Promise<Written[]> {
  const draws = stream(seed, 'search', step);
  if (method !== 'grammar') return write(await policy.sampler(), batch, draws.integer(2 ** 31 - 1));
  return Array.from({ length: batch }, () => ({
    formula: grown(1 + draws.integer(6), true, draws),
    tokens: [],
    logprobs: [],
  }));
}

function noted(state: Search, scored: readonly Scored[], seen: Set<string>): Search {
  let { hitAt, calls, best, score } = state;
  for (const one of scored) {
    calls++;
    const own = one.formula && functionOf(one.formula);
    if (one.formula === undefined || own === undefined) continue;
    seen.add(own);
    if (hitAt === null && isLaw(one.formula)) hitAt = calls;
    if (one.score > score) [best, score] = [one.formula, one.score];
  }
  return { hitAt, calls, best, score, functions: seen.size };
}

async function learn(
  policy: Policy,
  method: Method,
  scored: readonly Scored[],
  queue: Map<string, Scored>,
  learningRate: number,
): Promise<void> {
  if (method === 'mean baseline') return climb(policy, scored, mean(scored.map(({ score }) => score)), learningRate);
  if (method === 'risk-seeking') {
    const bar = quantile(
      scored.map(({ score }) => score),
      1 - RISK,
    );
    return climb(
      policy,
      scored.filter(({ score }) => score >= bar && score > 0),
      Math.max(0, bar - 0.05),
      learningRate,
    );
  }
  if (method === 'priority queue') return imitateBest(policy, scored, queue, learningRate);
}

const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;

/** Policy gradient on score less baseline. */
async function climb(policy: Policy, scored: readonly Scored[], baseline: number, learningRate: number): Promise<void> {
  const data = scored
    .filter(({ score }) => score !== baseline)
    .map((one) => rolloutDatum(one, (one.score - baseline) / scored.length));
  if (data.length === 0) return;
  await policy.forwardBackward(data, { kind: 'importance_sampling' });
  await policy.optimStep({ learningRate, ...ADAM });
}

/** Learns the best formulas met so far, one spelling of each function, by heart. */
async function imitateBest(
  policy: Policy,
  scored: readonly Scored[],
  queue: Map<string, Scored>,
  learningRate: number,
): Promise<void> {
  for (const one of scored) {
    const own = one.formula && functionOf(one.formula);
    if (own !== undefined && !queue.has(own)) queue.set(own, one);
  }
  const best = [...queue].sort(([, a], [, b]) => b.score - a.score).slice(0, KEPT);
  queue.clear();
  for (const [own, one] of best) queue.set(own, one);
  const data = best.flatMap(([, { formula }]) =>
    formula ? [formulaDatum(formula, 1 / best.length / formula.length)] : [],
  );
  if (data.length === 0) return;
  await policy.forwardBackward(data, { kind: 'cross_entropy' });
  await policy.optimStep({ learningRate, ...ADAM });
}
