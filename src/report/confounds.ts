import type { Facts } from '../results/behaviours/behaviour.ts';
import { type Behaviour, behaviourOf, behaviours } from '../results/metrics.ts';
import type { Estimate, Results } from '../results/results.ts';
import { formatCount } from './format.ts';

/** Something else that could have made a number, and what was done about it. */
export type Confound = {
  readonly behaviour: Behaviour;
  readonly threat: string;
  /** `controlled`: the design rules it out, or a row shows it apart. `told`: it is there, and this is how much. */
  readonly state: 'controlled' | 'told';
  readonly how: string;
};

/**
 * What else could have made the numbers of a measurement in words, behaviour by behaviour: either the design controls it,
 * or its size is told. Empty where problems were not gated, or are in the organism's notation, whose text is known.
 */
export function confounds(results: Results): Confound[] {
  const inWords = results.run.problems?.some(({ family, gate }) => gate && family !== 'running-sum');
  if (!inWords) return [];
  const facts = new RunFacts(results);
  return behaviours().flatMap((behaviour) => {
    if (!facts.measured(behaviour)) return [];
    return behaviourOf(behaviour).threats.flatMap(([threat, state, how]): Confound[] => {
      const said = typeof how === 'string' ? how : how(facts);
      return said === undefined ? [] : [{ behaviour, threat, state, how: said }];
    });
  }); // biome-ignore format: one thought
}

/** What a run knows of itself. */
class RunFacts implements Facts {
  readonly #results: Results;

  constructor(results: Results) {
    this.#results = results;
  }

  measured(behaviour: Behaviour): boolean {
    return this.#results.probes.some((row) => row.behaviour === behaviour && row.metric !== 'unreadable');
  }

  #last(metric: string, condition?: string): Estimate | undefined {
    const row = this.#results.probes.find((one) => one.metric === metric && one.condition === condition);
    return row && (row.after ?? row.before);
  }

  value(metric: string, condition?: string): string | undefined {
    return this.#last(metric, condition)?.value.toFixed(3);
  }

  count(metric: string, condition?: string): number {
    return this.#last(metric, condition)?.n ?? 0;
  }

  gate(): string {
    const gates = this.#results.run.problems!.flatMap(({ gate }) => gate ?? []); // looked at before
    const sum = (part: 'passed' | 'drawn') => formatCount(gates.reduce((total, gate) => total + gate[part], 0));
    return `only problems solved in 3 of 4 other samples: ${sum('passed')} of ${sum('drawn')} passed`;
  }

  mode(): string {
    const { endpoint } = this.#results.run;
    const history = this.#results.probes.some(({ condition }) => condition?.includes('mode=history'));
    return endpoint?.mode ?? (history ? 'history' : 'prefill');
  }

  unreadable(...of: readonly string[]): string | undefined {
    const its = this.#results.probes.filter(({ metric, condition = '' }) => {
      return metric === 'unreadable' && of.some((arm) => `${condition},`.startsWith(`of=${arm},`));
    });
    if (its.length === 0) return undefined;
    const worst = its.map((row) => (row.after ?? row.before).value).reduce((a, b) => Math.max(a, b));
    return `counted apart, neither right nor wrong; at most ${worst.toFixed(3)} of an arm`;
  }

  unseeded(): string | undefined {
    const seed = this.#results.run.endpoint?.self_test.seed;
    return seed && !seed.can ? `the endpoint ignores seeds (${seed.how}): the run cannot be repeated to the letter` : undefined;
  }
} // biome-ignore format: one fact a member
