import { GraphBuilder, type Value } from '../compiler/onnx/graph-builder.ts';
import { keyOf } from '../compiler/parameters.ts';
import { DecoderWeights, decoderStates, type Heads, logits } from '../model/inference-decoder.ts';
import type { Model } from '../model/model.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { declareRotary } from '../model/rope.ts';
import { windowsOf } from '../model/window.ts';
import type { Graph } from '../runtime/runtime.ts';
import { chooseAny, declareAnyChoice } from './draw.ts';

/**
 * One step of a generation, for models that a loop inside a graph would have to hold several times: new tokens of each
 * row behind those of its cache, a whole prompt or one token. Every weight is read by one node, so that the packed form
 * in which it is read fastest exists once. `runtime/decoding.ts` drives it.
 */
export function stepGraph(model: Model): Graph {
  const { stored } = model.weights;
  return { key: `step ${keyOf(model)}`, encode: () => emit(model).encode(), mapped: stored, isWide: true };
}

function emit(model: Model): GraphBuilder {
  const { config } = model.weights;
  const graph = new GraphBuilder('step');
  const weights = new DecoderWeights(graph, model);
  const inputs = {
    tokens: graph.input('tokens', 'int64', ['tokens']),
    split: graph.input('split', 'int64', [4]),
    position: graph.input('position', 'int64', ['batch', 'time']),
    rotary: declareRotary(graph, config),
    wanted: graph.input('wanted', 'int64', ['batch']),
  };
  const attention = new StepAttention(graph, config);
  const states = decoderStates(graph, weights, inputs, (layer, heads) => attention.attend(layer, heads));
  const all = graph.op('Gather', [logits(graph, weights, states), graph.input('drawn', 'int64', ['rows'])], {
    axis: 0,
  });
  const uniform = graph.input('uniform', 'float32', ['rows', 1]);
  const { token, logprob } = chooseAny(graph, declareAnyChoice(graph), all, uniform);
  graph.output('token', token, 'int64', ['rows', 1]);
  graph.output('logprob', logprob, 'float32', ['rows', 1]);
  graph.output('fresh', attention.fresh(), 'float32', ['kinds', 'batch', 'heads', 'time', 'size']);
  return graph;
}

/** The new tokens look at the cache, and at themselves. */
class StepAttention {
  readonly #graph: GraphBuilder;
  readonly #config: ModelConfig;
  /** By how far a layer looks back: what is added to the scores of cache and new tokens, `[batch, 1, group * time, seen]`. */
  readonly #masks: ReadonlyMap<number | undefined, Value>;
  /** How many tokens the cache and the new ones are, int64 `[2]`. */
  readonly #parts: Value;
  readonly #fresh: Value[] = [];

  constructor(graph: GraphBuilder, config: ModelConfig) {
    this.#graph = graph;
    this.#config = config;
    this.#parts = graph.input('parts', 'int64', [2]);
    this.#masks = new Map(
      windowsOf(config).map((window, nth) => [
        window,
        graph.input(`mask${nth}`, 'float32', ['batch', 1, 'queries', 'seen']),
      ]),
    );
  }

  attend(layer: number, { queries, keys, values }: Heads): Value {
    const { heads, keyValueHeads, headSize, sights } = this.#config;
    const graph = this.#graph;
    this.#fresh.push(keys, values);
    const [pastKeys, pastValues] = ['keys', 'values'].map((kind) =>
      graph.input(`${kind}${layer}`, 'float32', ['batch', keyValueHeads, 'capacity', headSize]),
    ) as [Value, Value];
    const folded = graph.op('Reshape', [queries, graph.integers([0, keyValueHeads, -1, headSize])]);
    const scores = graph.op('Concat', [this.#scores(folded, pastKeys), this.#scores(folded, keys)], { axis: -1 });
    const mask = this.#masks.get(sights[layer]?.window)!; // there is one for every window
    const shares = graph.op('Softmax', [graph.op('Add', [scores, mask])], { axis: -1 });
    const [onPast, onFresh] = graph.ops('Split', [shares, this.#parts], 2, { axis: -1 });
    const fromPast = graph.op('MatMul', [onPast!, pastValues]);
    const mixed = graph.op('Add', [fromPast, graph.op('MatMul', [onFresh!, values])]);
    const byHead = graph.op('Reshape', [mixed, graph.integers([0, heads, -1, headSize])]);
    const byToken = graph.op('Transpose', [byHead], { perm: [0, 2, 1, 3] });
    return graph.op('Reshape', [byToken, graph.integers([-1, heads * headSize])]);
  }

  /** New keys and values of all layers, `[2 layers, batch, keyValueHeads, time, size]`. */
  fresh(): Value {
    const first = this.#graph.integers([0]);
    const each = this.#fresh.map((value) => this.#graph.op('Unsqueeze', [value, first]));
    return this.#graph.op('Concat', each, { axis: 0 });
  }

  #scores(queries: Value, keys: Value): Value {
    return this.#graph.microsoft('FusedMatMul', [queries, keys], { transB: 1 });
  }
}
