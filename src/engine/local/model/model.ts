import { type Adapter, adaptedConfig, factorShapes, factorsOf } from './adapter.ts';
import { parameterShapes } from './architectures.ts';
import type { ModelConfig, ParameterShape } from './model-config.ts';
import type { ParameterSet, Weights } from './weights.ts';

/** What a graph computes with: weights, and an adapter beside them as low-rank branches. */
export type Model = { readonly weights: Weights; readonly adapter?: Adapter | undefined };

/** What is trained of a model: its adapter, or all of its weights. */
export function trainedShapes({ weights, adapter }: Model): readonly ParameterShape[] {
  if (adapter === undefined) return parameterShapes(weights.config);
  return factorShapes(adapter.config, adapter.shape);
}

/** What a worker must have in memory: everything but weights that a graph maps from their file. */
export function residentsOf({ weights, adapter }: Model): ParameterSet[] {
  return [...(weights.stored === undefined ? [weights] : []), ...(adapter === undefined ? [] : [factorsOf(adapter)])];
}

/** The config of the weights as they would be with the adapter put in. */
export function configOf({ weights, adapter }: Model): ModelConfig {
  return adapter === undefined ? weights.config : adaptedConfig(weights.config, adapter.shape);
}
