import type { GraphBuilder, Value } from '../compiler/onnx/graph-builder.ts';
import type { ModelConfig } from './model-config.ts';

/** The distinct windows of a model's layers; undefined is the whole text. */
export function windowsOf({ sights }: ModelConfig): readonly (number | undefined)[] {
  return [...new Set(sights.map(({ window }) => window))];
}

/** Whether any layer has a window. */
export const hasWindow = (config: ModelConfig): boolean => windowsOf(config).some((window) => window !== undefined);

/**
 * Masks tokens outside the window: very negative there, else 0; shaped like the positions.
 * @param positions of the tokens, float. @param now position of the query, float.
 */
export function leftBehind(graph: GraphBuilder, positions: Value, now: Value, window: number): Value {
  const last = graph.op('Sub', [now, graph.scalar(window)]);
  return graph.op('Mul', [
    graph.op('Cast', [graph.op('LessOrEqual', [positions, last])], { to: 1 }),
    graph.scalar(-1e9),
  ]);
}
