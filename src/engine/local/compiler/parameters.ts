import { join } from 'node:path';
import { adaptedMatrices } from '../model/adapter.ts';
import { parameterShapes } from '../model/architectures.ts';
import { type Model, trainedShapes } from '../model/model.ts';
import type { StoredWeights } from '../model/weights.ts';
import type { GraphBuilder, Value } from './onnx/graph-builder.ts';
import type { Branch } from './tape.ts';

export const EMBEDDING = 'model.embed_tokens.weight';
export const HEAD = 'lm_head.weight';

/** What sets graphs of one kind apart: the shapes, and the file that weights are mapped from. */
export function keyOf({ weights, adapter }: Model): string {
  const { config, stored } = weights;
  return JSON.stringify([config, adapter?.shape, stored && join(stored.folder, stored.file)]);
}

/** Declares the weights under their Hugging Face names: constants that a session maps from their file, or inputs. */
export function declareWeights(graph: GraphBuilder, { weights: { config, stored } }: Model): void {
  for (const { name, shape } of parameterShapes(config)) {
    if (stored === undefined) graph.input(name, 'float32', shape);
    else graph.stored(name, shape, placeOf(stored, name));
  }
}

const placeOf = ({ file, offsets }: StoredWeights, name: string) => ({ file, offset: offsets.get(name)! }); // all are there

/** Declares an adapter's factors as inputs. @returns the branches by the weights that they are beside. */
export function declareBranches(graph: GraphBuilder, model: Model): ReadonlyMap<Value, Branch> {
  const { adapter, weights } = model;
  if (adapter === undefined) return new Map();
  for (const { name, shape } of trainedShapes(model)) graph.input(name, 'float32', shape);
  const { rank, alpha } = adapter.shape;
  return new Map(
    adaptedMatrices(adapter.config, adapter.shape).map(({ matrix, a, b }) => [
      weights.config.tiedEmbedding && matrix.name === HEAD ? EMBEDDING : matrix.name,
      { a: a.name, b: b.name, rank, scale: alpha / rank },
    ]),
  );
}
