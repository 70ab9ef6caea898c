import { BINS } from './bins.ts';

/**
 * A predictor of the next day: probabilities of the bins, `[BINS]`, from what was known the evening before. It learns from
 * the days before `from` alone, unless it says otherwise.
 */
export type Predictor = {
  readonly name: string;
  predict(bins: readonly number[], returns: readonly number[], from: number): readonly (readonly number[])[];
};

/** Counts with half a day for each bin beforehand. */
function shares(days: readonly number[]): number[] {
  const counts = Array.from({ length: BINS }, (_, bin) => 0.5 + days.filter((day) => day === bin).length);
  const total = counts.reduce((a, b) => a + b, 0);
  return counts.map((count) => count / total);
}

/** Histograms of the training days by a state that is known the evening before. */
function byState(
  name: string,
  stateOf: (bins: readonly number[], returns: readonly number[], at: number, from: number) => number,
): Predictor {
  return {
    name,
    predict(bins, returns, from) {
      const states = bins.map((_, at) => stateOf(bins, returns, at, from));
      const tables = new Map(
        [...new Set(states)].map((state) => [
          state,
          shares(bins.slice(0, from).filter((_, at) => states[at] === state)),
        ]),
      );
      return states.slice(from).map((state) => tables.get(state) ?? shares([]));
    },
  };
}

const DECAY = 0.94;

/** Which tenth of the training days a day's volatility of the evening before belongs to (RiskMetrics' exponential average). */
function volatilityState(_bins: readonly number[], returns: readonly number[], at: number, from: number): number {
  const all = volatilities(returns);
  const sorted = [...all.slice(0, from)].sort((a, b) => a - b);
  return [0.2, 0.4, 0.6, 0.8].filter((share) => (all[at] ?? 0) >= (sorted[Math.floor(share * from)] ?? 0)).length;
}

const known = new WeakMap<readonly number[], number[]>();

function volatilities(returns: readonly number[]): number[] {
  const done = known.get(returns);
  if (done) return done;
  let average = (returns[0] ?? 0) ** 2;
  const all = returns.map((value) => {
    const before = average;
    average = DECAY * average + (1 - DECAY) * value ** 2;
    return before;
  });
  known.set(returns, all);
  return all;
}

export const BASELINES: readonly Predictor[] = [
  byState('histogram', () => 0),
  byState('Markov', (bins, _returns, at) => bins[at - 1] ?? -1),
  byState('volatility state', volatilityState),
  byState('AR(1) sign', (_bins, returns, at) => Math.sign(returns[at - 1] ?? 0)),
  byState(
    'volatility and sign',
    (bins, returns, at, from) => 10 * volatilityState(bins, returns, at, from) + Math.sign(returns[at - 1] ?? 0),
  ),
];
