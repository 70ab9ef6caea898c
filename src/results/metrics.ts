/**
 * @file The metrics of a run: what each number is, which way is good, and which number catches the opposite failure.
 * The names are part of the contract of `results.json`; a reader of one never needs the code to know what it says.
 */

import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { InputError } from '../errors.ts';
import { builtInBehaviours } from './behaviours/all.ts';
import type { BehaviourEntry, MetricEntry } from './behaviours/behaviour.ts';
import { parseCondition } from './condition.ts';
import { type Direction, directions, units } from './units.ts';

type BuiltInBehaviour = keyof typeof builtInBehaviours;

type BuiltInMetric = { [Of in BuiltInBehaviour]: keyof (typeof builtInBehaviours)[Of]['metrics'] }[BuiltInBehaviour];

declare const defined: unique symbol;

/** A behaviour that unrut brings along, or one that {@link defineBehaviour} returned: a misspelt name does not compile. */
export type Behaviour = BuiltInBehaviour | (string & { readonly [defined]: true });

/** A metric that unrut brings along, or one that {@link defineMetric} returned: a misspelt name does not compile. */
export type MetricName = BuiltInMetric | (string & { readonly [defined]: true });

const knownBehaviours = new Map<string, BehaviourEntry>(Object.entries(builtInBehaviours));

/** In the order in which a report tells them: first those that unrut brings along. */
export const behaviours = (): readonly Behaviour[] => [...knownBehaviours.keys()] as Behaviour[]; // only Behaviours are set

/** @throws InputError where no such behaviour is known. */
export function behaviourOf(name: Behaviour): BehaviourEntry {
  const behaviour = knownBehaviours.get(name);
  if (behaviour) return behaviour;
  throw new InputError(`behaviour "${name}": not known; define it with defineBehaviour`);
}

/** A name in a file or a recipe; what is not known is answered with what is. */
export const behaviourName = z.string().check((payload) => {
  const { value, issues } = payload;
  if (!knownBehaviours.has(value))
    issues.push({ code: 'invalid_value', values: [...knownBehaviours.keys()], input: value });
}) as unknown as z.ZodType<Behaviour>; // the check leaves only names that are known

/** What a metric is, for people. */
export const metricSchema = z.strictObject({
  /** For a table row: short, for people. */
  title: z.string().min(1),
  /** One sentence: what was done and what share or amount is counted. */
  meaning: z.string().min(1),
  unit: z.enum(units),
  direction: z.enum(directions),
  behaviour: behaviourName,
  /** The metric that gets worse when this one is bought with the opposite failure; undefined for a guard. */
  mirror: z.string().optional(),
});

export type Metric = MetricEntry & { readonly behaviour: Behaviour };

/** What a file carries of a behaviour that unrut does not bring along. */
export const behaviourSchema = z.strictObject({
  title: z.string().min(1),
  headline: z.array(z.string()),
  mirror: z.array(z.string()),
});

const builtIn: readonly [string, Metric][] = behaviours().flatMap((behaviour) =>
  Object.entries(behaviourOf(behaviour).metrics).map(([name, metric]): [string, Metric] => [
    name,
    { ...metric, behaviour },
  ]),
);

/** The metrics that unrut brings along. */
export const builtInMetrics = builtIn.map(([name]) => name) as readonly BuiltInMetric[]; // the names of that very table

const known = new Map<string, Metric>(builtIn);

/** @throws InputError where no such metric is known. */
export function metricOf(name: MetricName): Metric {
  const metric = known.get(name);
  if (metric) return metric;
  throw new InputError(`metric "${name}": not known; define it with defineMetric`);
}

/** Of a row. The spread of a problem's runs, U = A90 - A10, is good when small, whatever it is the spread of. */
export function directionOf(name: MetricName, condition: string | undefined): Direction {
  return parseCondition(condition).get('quantile') === 'u' ? 'down' : metricOf(name).direction;
}

/**
 * Makes a metric of one's own known, under a behaviour that is known. Tables, gates and `results.json` take it like any
 * other; `results.json` carries its definition along.
 * @throws InputError where the name is taken by another metric.
 */
export function defineMetric(name: string, metric: Metric): MetricName {
  const other = known.get(name);
  if (other && !isDeepStrictEqual(other, metric)) throw new InputError(`metric "${name}": the name is taken`);
  if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new InputError(`metric "${name}": write it like own_right_kept`);
  known.set(name, metric);
  return name as MetricName; // it is now
}

/**
 * Makes a behaviour of one's own known, with its metrics: probes, gates, tables and the page take it like any other, and
 * `results.json` carries its definition along.
 * @throws InputError where its name, or that of a metric, is taken.
 */
export function defineBehaviour(name: string, entry: BehaviourEntry): Behaviour {
  const other = knownBehaviours.get(name);
  if (other && other.title !== entry.title) throw new InputError(`behaviour "${name}": the name is taken`);
  if (!/^[a-z][a-z0-9-]*$/.test(name)) throw new InputError(`behaviour "${name}": write it like few-shot`);
  if (!other) knownBehaviours.set(name, entry);
  const behaviour = name as Behaviour; // it is now
  for (const [metric, what] of Object.entries(entry.metrics)) defineMetric(metric, { ...what, behaviour });
  return behaviour;
}

/** Definitions of those names that unrut does not bring along, for a file that others read. */
export function ownDefinitions(names: Iterable<MetricName>): Record<string, Metric> {
  const own = [...new Set(names)].filter((name) => !builtInMetrics.some((one) => one === name));
  return Object.fromEntries(own.map((name) => [name, metricOf(name)]));
}

/** The same of the behaviours of those metrics. */
export function ownBehaviours(names: Iterable<MetricName>): Record<string, z.infer<typeof behaviourSchema>> {
  const own = [...names]
    .map((name) => metricOf(name).behaviour)
    .filter((name) => !Object.hasOwn(builtInBehaviours, name));
  return Object.fromEntries(own.map((name) => [name, carried(behaviourOf(name))]));
}

const carried = ({ title, headline, mirror }: BehaviourEntry) => ({
  title,
  headline: [...headline],
  mirror: [...mirror],
});

/** A name in a file or a recipe; what is not known is answered with what is. */
export const metricName = z.string().check((payload) => {
  const { value, issues } = payload;
  if (!known.has(value)) issues.push({ code: 'invalid_value', values: [...known.keys()], input: value });
}) as unknown as z.ZodType<MetricName>; // the check leaves only names that are known
