import type { GraphBuilder, Value } from '../compiler/onnx/graph-builder.ts';
import type { ModelConfig } from './model-config.ts';

/** How far the layers of a model look back, each once; undefined is to the beginning. */
export function windowsOf({ sights }: ModelConfig): readonly (number | undefined)[] {
  return [...new Set(sights.map(({ window }) => window))];
}

/** Whether any layer sees a window only. */
export const hasWindow = (config: ModelConfig): boolean => windowsOf(config).some((window) => window !== undefined);

/**
 * What hides tokens that have left the window, shaped like their positions: very negative there, else 0.
 * @param positions of the tokens, float. @param now the position of the one that looks, float.
 */
export function leftBehind(graph: GraphBuilder, positions: Value, now: Value, window: number): Value {
  const last = graph.op('Sub', [now, graph.scalar(window)]);
  return graph.op('Mul', [
    graph.op('Cast', [graph.op('LessOrEqual', [positions, last])], { to: 1 }),
    graph.scalar(-1e9),
  ]);
}
