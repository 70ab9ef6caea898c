import type { Cost } from '../engine/cost.ts';
import type { Prober } from '../probes/prober.ts';
import type { Behaviour } from '../results/metrics.ts';
import { metricOf } from '../results/metrics.ts';
import type { Sizes } from '../stages/sizes.ts';
import type { Recipe } from './load-recipe.ts';
import { END } from './recipe.ts';
import type { Model } from './run-parts.ts';

/** One line of the bill. */
export type CostLine = { readonly what: string; readonly cost: Cost };

/** Tokens a second on this machine. */
export type Rates = { readonly trained: number; readonly sampled: number };

/** What a recipe costs, in the order in which it happens. */
export function recipeCost(recipe: Recipe, prober: Pick<Prober, 'cost'>, sizes: Sizes): CostLine[] {
  const probe = (what: string, behaviours: readonly Behaviour[]) => ({
    what,
    cost: prober.cost({ ...recipe.probes, behaviours }),
  });
  const all = recipe.probes.behaviours;
  const stages = recipe.stages.filter(({ off }) => !off);
  return [
    ...(recipe.fresh ? [] : [probe('probe before', all)]),
    ...stages.flatMap(({ name, stage }) => {
      const behaviours = gateBehaviours(recipe, name);
      const gate = behaviours.length > 0 ? [probe(`gates after ${name}`, behaviours)] : [];
      return [{ what: name, cost: stage.cost(sizes) }, ...gate];
    }),
    probe('probe after', all),
  ];
}

/** The behaviours that must be measured for the gates after a stage; none after the end, where all are. */
export function gateBehaviours(recipe: Pick<Recipe, 'gates'>, stage: string): Behaviour[] {
  const gates = recipe.gates.filter(({ after }) => after === stage && after !== END);
  return [...new Set(gates.map(({ metric }) => metricOf(metric).behaviour))];
}

export function minutes(cost: Cost, rates: Rates): number {
  return (cost.trainedTokens / rates.trained + cost.sampledTokens / rates.sampled) / 60;
}

const TRAINED = { data: 64, tokens: 48, rounds: 3 } as const;
const SAMPLED = { prompts: 192, tokens: 24 } as const;

/** A second or two of training and sampling on made-up tokens; the weights are left as they are. */
export async function measureRates({ policy, reference }: Pick<Model, 'policy' | 'reference'>): Promise<Rates> {
  const tokens = new Array<number>(TRAINED.tokens).fill(0);
  const batch = new Array(TRAINED.data).fill({ input: tokens, targets: tokens });
  const train = () => policy.forwardBackward(batch, { kind: 'cross_entropy' });
  const sample = () =>
    reference.sample(
      Array.from({ length: SAMPLED.prompts }, () => [0]),
      { maxTokens: SAMPLED.tokens, temperature: 1, seed: 1, stop: [], samples: 1 },
    );
  await train(); // the first round of a shape pays for building its session
  await sample();
  const trainSeconds = await secondsOf(TRAINED.rounds, train);
  const sampleSeconds = await secondsOf(1, sample);
  return {
    trained: (TRAINED.rounds * TRAINED.data * TRAINED.tokens) / trainSeconds,
    sampled: (SAMPLED.prompts * SAMPLED.tokens) / sampleSeconds,
  };
}

async function secondsOf(rounds: number, work: () => Promise<unknown>): Promise<number> {
  const since = performance.now();
  for (let round = 0; round < rounds; round++) await work();
  return (performance.now() - since) / 1000;
}
