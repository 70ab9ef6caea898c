import type { Direction, Unit } from '../units.ts';

/**
 * @file What is known of a behaviour, in one entry: its title, its metrics, the number that says it best with the number
 * that the opposite failure would spoil, and what else could have made the numbers. Tables, gates, the page and
 * `results.json` all read it from here.
 */

/** What a metric is, for people. */
export type MetricEntry = {
  /** For a table row: short. */
  readonly title: string;
  /** One sentence: what was done, and what share or amount is counted. */
  readonly meaning: string;
  readonly unit: Unit;
  readonly direction: Direction;
  /** The metric that gets worse when this one is bought with the opposite failure; absent for a guard. */
  readonly mirror?: string | undefined;
};

/** Something else that could have made a number: what it is, whether the design rules it out, and how one can see that. */
export type Threat = readonly [
  threat: string,
  /** `controlled`: the design rules it out, or a row shows it apart. `told`: it is there, and the text says how much. */
  state: 'controlled' | 'told',
  /** Undefined where the run does not touch the point. */
  how: string | ((facts: Facts) => string | undefined),
];

/** What a run knows of itself, for the texts of its {@link Threat}s. */
export interface Facts {
  /** The last value of a row, in words: `0.93`. Undefined where it was not measured. */
  value(metric: string, condition?: string): string | undefined;
  /** Problems behind a row. */
  count(metric: string, condition?: string): number;
  /** How many problems passed the competence gate, in words. */
  gate(): string;
  /** How the model was made to continue its own work: `prefill` or `history`. */
  mode(): string;
  /** The largest share of unreadable replies among these arms, in words. */
  unreadable(...arms: readonly string[]): string | undefined;
  /** Why a seed does not repeat the run; undefined where it does. */
  unseeded(): string | undefined;
}

export type BehaviourEntry<Name extends string = string> = {
  /** As a heading. */
  readonly title: string;
  /** Metrics that say it in one number, best first, as `metric` or `metric key=value`; the first that was measured is shown. */
  readonly headline: readonly string[];
  /** The same for the opposite failure. */
  readonly mirror: readonly string[];
  readonly metrics: Readonly<Record<Name, MetricEntry>>;
  /** The metrics that are measured by what the model writes behind its own open turn; absent: none. */
  readonly openTurn?: readonly NoInfer<Name>[];
  readonly threats: readonly Threat[];
};

/** Keeps the names of the metrics, so that a misspelt one does not compile. */
export function behaviour<Name extends string>(entry: BehaviourEntry<Name>): BehaviourEntry<Name> {
  return entry;
}

/** Says what held-out wordings give apart. */
export function heldOut(metric: string): (facts: Facts) => string | undefined {
  return (facts) => {
    const apart = facts.value(metric, 'wording=held_out');
    return apart && `six wordings or more, drawn by problem; held-out ones apart: ${apart}, all ${facts.value(metric)}`;
  };
}
