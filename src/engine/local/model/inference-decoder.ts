import type { GraphBuilder, Value } from '../compiler/onnx/graph-builder.ts';
import { declareBranches, declareWeights } from '../compiler/parameters.ts';
import { type Product, straightProduct, turnedProduct } from '../compiler/products.ts';
import type { Branch } from '../compiler/tape.ts';
import { architectureOf } from './architectures.ts';
import type { DecoderOps, HeadNorms, Projection } from './decoder-ops.ts';
import { hasBias } from './decoder-parts.ts';
import type { Model } from './model.ts';
import type { ModelConfig } from './model-config.ts';
import { declareRotary, type RotaryTable, rotaryOf, turnedSize } from './rope.ts';
import { windowsOf } from './window.ts';

/**
 * @file The decoder without gradients: the same arithmetic as `training-decoder.ts` in fewer nodes, because at one
 * token a step the nodes cost more than the arithmetic. Queries, keys and values come from one product, norms add the
 * residual on the way, weights are turned once per run. How tokens look at each other is the caller's: a prompt looks
 * at itself, a generated token at the prompt and at what was generated before it.
 */

/**
 * Queries `[batch, heads, time, size]` and keys `[batch, keyValueHeads, time, size]`, turned, the keys scaled as scores
 * are to be; values like keys.
 */
export type Heads = { readonly queries: Value; readonly keys: Value; readonly values: Value };

/** What each token takes from those that it may look at: `[batch * time, heads * size]`. */
export type Attend = (layer: number, heads: Heads) => Value;

export type DecoderInputs = {
  /** int64 `[batch * time]`. */
  readonly tokens: Value;
  /** int64: `[batch, time, heads + 2 keyValueHeads, size]`; absent where each row is one token (time 1). */
  readonly split?: Value;
  /** int64 `[batch, time]`, or `[1]`: the first of consecutive positions. */
  readonly position: Value;
  readonly rotary: readonly RotaryTable[];
  /** int64: the rows of `[batch * time]` whose last states are wanted; absent means all. */
  readonly wanted?: Value | undefined;
};

/** Masks `[group * time, time]` that order a text, by how far a layer looks back. */
export type TextMasks = ReadonlyMap<number | undefined, Value>;

/** Inputs of a padded batch of texts, whose positions start at 0, and the masks that order them. */
export function declareText(graph: GraphBuilder, config: ModelConfig): { text: DecoderInputs; masks: TextMasks } {
  const text = {
    tokens: graph.input('tokens', 'int64', ['tokens']),
    split: graph.input('split', 'int64', [4]),
    position: graph.integers([0]),
    rotary: declareRotary(graph, config),
  };
  const mask = (window: number | undefined) => graph.input(maskInput(window), 'float32', ['queries', 'time']);
  return { text, masks: new Map(windowsOf(config).map((window) => [window, mask(window)])) };
}

/** The input with the mask of layers that look back this far. */
export const maskInput = (window: number | undefined): string => `mask ${window ?? 'whole'}`;

/** Declares the parameters of a graph and emits, once per run, the form in which products read them. */
export class DecoderWeights {
  readonly config: ModelConfig;
  readonly #graph: GraphBuilder;
  readonly #isMapped: boolean;
  readonly #branches: ReadonlyMap<Value, Branch>;
  readonly #products = new Map<string, Product>();
  readonly #gains = new Map<string, Value>();

  constructor(graph: GraphBuilder, model: Model) {
    this.config = model.weights.config;
    this.#graph = graph;
    this.#isMapped = model.weights.stored !== undefined;
    declareWeights(graph, model);
    this.#branches = declareBranches(graph, model);
  }

  /** These projections side by side. */
  product(projections: readonly Projection[]): Product {
    const key = projections.map(({ name }) => name).join(' ');
    const product = this.#products.get(key) ?? this.#emit(projections);
    this.#products.set(key, product);
    return product;
  }

  #emit(projections: readonly Projection[]): Product {
    const factors = projections.map(({ name }) => {
      return { weight: `${name}.weight`, bias: hasBias(this.config, name) ? `${name}.bias` : undefined };
    });
    return this.#isMapped ? straightProduct(factors, this.#branches) : turnedProduct(this.#graph, factors);
  }

  /** The gain of a norm. */
  gain(name: string): Value {
    const { gainOffset } = this.config;
    const stored = `${name}.weight`;
    if (gainOffset === 0) return stored;
    const gain = this.#gains.get(stored) ?? this.#graph.op('Add', [stored, this.#graph.scalar(gainOffset)]);
    this.#gains.set(stored, gain);
    return gain;
  }
}

/** Last hidden states, normalised, `[batch * time, width]`, or the wanted rows of them. */
export function decoderStates(
  graph: GraphBuilder,
  weights: DecoderWeights,
  inputs: DecoderInputs,
  attend: Attend,
): Value {
  const { config } = weights;
  const ops = new InferenceOps(graph, weights, inputs, attend);
  const { layer } = architectureOf(config);
  const embedded = graph.op('Gather', ['model.embed_tokens.weight', inputs.tokens], { axis: 0 });
  const { embeddingScale } = config;
  let stream = embeddingScale === 1 ? embedded : graph.op('Mul', [embedded, graph.scalar(embeddingScale)]);
  for (let at = 0; at < config.layers; at++) stream = layer(ops, at, stream);
  return ops.norm(stream, 'model.norm');
}

export function logits(graph: GraphBuilder, weights: DecoderWeights, states: Value): Value {
  const { tiedEmbedding, hiddenSize, vocabSize, logitCap } = weights.config;
  const head = { name: tiedEmbedding ? 'model.embed_tokens' : 'lm_head', from: hiddenSize, to: vocabSize };
  const product = weights.product([head])(graph, states);
  return logitCap === undefined ? product : capped(graph, product, logitCap);
}

function capped(graph: GraphBuilder, x: Value, cap: number): Value {
  const bounded = graph.op('Tanh', [graph.op('Div', [x, graph.scalar(cap)])]);
  return graph.op('Mul', [bounded, graph.scalar(cap)]);
}

/** The decoder's operations in few nodes. */
class InferenceOps implements DecoderOps {
  readonly config: ModelConfig;
  readonly #graph: GraphBuilder;
  readonly #weights: DecoderWeights;
  readonly #inputs: DecoderInputs;
  readonly #attend: Attend;
  /** Sums that no node has taken yet: the norm behind one takes it on the way. */
  readonly #sums = new Map<Value, Value | { readonly stream: Value; readonly update: Value }>();

  constructor(graph: GraphBuilder, weights: DecoderWeights, inputs: DecoderInputs, attend: Attend) {
    this.config = weights.config;
    this.#graph = graph;
    this.#weights = weights;
    this.#inputs = inputs;
    this.#attend = attend;
  }

  norm(x: Value, gain: string): Value {
    const open = this.#sums.get(x);
    const weight = this.#weights.gain(gain);
    const epsilon = { float: this.config.normEpsilon };
    if (open === undefined || typeof open === 'string') {
      const inputs = [open ?? x, weight];
      return this.#graph.op('SimplifiedLayerNormalization', inputs, { axis: -1, epsilon, stash_type: 1 });
    }
    const inputs = [open.stream, open.update, weight];
    const outputs = this.#graph.ops('SkipSimplifiedLayerNormalization', inputs, 4, { epsilon }, 'com.microsoft');
    this.#sums.set(x, outputs[3]!); // the sum is the fourth of them
    return outputs[0]!;
  }

  project(x: Value, ...projections: readonly Projection[]): Value {
    return this.#weights.product(projections)(this.#graph, this.#taken(x));
  }

  projectOnto(stream: Value, x: Value, projection: Projection): Value {
    return this.add(stream, this.project(x, projection));
  }

  add(stream: Value, update: Value): Value {
    const sum = `${stream} + ${update}`;
    this.#sums.set(sum, { stream: this.#taken(stream), update });
    return sum;
  }

  beside(parts: readonly Value[]): Value {
    return this.#graph.op('Concat', parts, { axis: -1 });
  }

  apart(x: Value, widths: readonly number[]): readonly Value[] {
    return this.#graph.ops('Split', [x, this.#graph.integers(widths)], widths.length, { axis: -1 });
  }

  gated(gate: Value, up: Value): Value {
    const activated =
      this.config.activation === 'silu'
        ? this.#graph.microsoft('QuickGelu', [gate], { alpha: { float: 1 } }) // SiLU
        : this.#graph.op('Gelu', [gate], { approximate: 'tanh' });
    return this.#graph.op('Mul', [activated, up]);
  }

  attend(layer: number, projected: Value, headNorms?: HeadNorms): Value {
    const { heads, keyValueHeads } = this.config;
    const parts = this.#graph.integers([heads + keyValueHeads, keyValueHeads]);
    const [queriesKeys, values] = this.#graph.ops('Split', [this.#byHead(projected), parts], 2, { axis: 1 });
    const normed = headNorms === undefined ? queriesKeys! : this.#headNorms(queriesKeys!, headNorms);
    const [queries, keys] = this.#queriesAndKeys(this.#turned(layer, normed));
    const scaled = this.#graph.op('Mul', [keys!, this.#graph.scalar(this.config.scoreScale)]); // cheaper than all scores
    return this.#attend(layer, { queries: queries!, keys: scaled, values: values! });
  }

  /** What the last layer makes of the other rows is used by nothing. */
  asked(layer: number, rows: Value): Value {
    const { wanted } = this.#inputs;
    const all = this.#taken(rows);
    if (wanted === undefined || layer !== this.config.layers - 1) return all;
    return this.#graph.op('Gather', [all, wanted], { axis: 0 });
  }

  /** A value that a node can read. */
  #taken(value: Value): Value {
    const open = this.#sums.get(value);
    if (open === undefined) return value;
    if (typeof open === 'string') return open;
    const sum = this.#graph.op('Add', [open.stream, open.update]);
    this.#sums.set(value, sum);
    return sum;
  }

  /** `[batch * time, (heads + 2 keyValueHeads) * size]` to `[batch, heads + 2 keyValueHeads, time, size]`. */
  #byHead(rows: Value): Value {
    const { heads, keyValueHeads, headSize } = this.config;
    const { split } = this.#inputs;
    if (split !== undefined) {
      return this.#graph.op('Transpose', [this.#graph.op('Reshape', [rows, split])], { perm: [0, 2, 1, 3] });
    }
    return this.#graph.op('Reshape', [rows, this.#graph.integers([-1, heads + 2 * keyValueHeads, 1, headSize])]);
  }

  #headNorms(queriesKeys: Value, { query, key }: HeadNorms): Value {
    const [queries, keys] = this.#queriesAndKeys(queriesKeys);
    return this.#graph.op('Concat', [this.norm(queries!, query), this.norm(keys!, key)], { axis: 1 });
  }

  #queriesAndKeys(both: Value): Value[] {
    const sizes = this.#graph.integers([this.config.heads, this.config.keyValueHeads]);
    return this.#graph.ops('Split', [both, sizes], 2, { axis: 1 });
  }

  #turned(layer: number, heads: Value): Value {
    const { rotary, position } = this.#inputs;
    const table = rotaryOf(this.config, rotary, layer);
    if (table === undefined) return heads;
    return this.#graph.microsoft('RotaryEmbedding', [heads, position, table.cos, table.sin], {
      num_heads: this.config.heads + this.config.keyValueHeads,
      rotary_embedding_dim: turnedSize(this.config, layer),
    });
  }
}

/** Each token of a text looks at itself and at what stands before it, as far back as the layer does. */
export function attendToSelf(
  graph: GraphBuilder,
  config: ModelConfig,
  masks: TextMasks,
  layer: number,
  { queries, keys, values }: Heads,
): Value {
  const { heads, keyValueHeads, headSize } = config;
  const mask = masks.get(config.sights[layer]?.window)!; // there is one for each window
  const folded = graph.op('Reshape', [queries, graph.integers([0, keyValueHeads, -1, headSize])]);
  const scores = graph.microsoft('FusedMatMul', [folded, keys], { transB: 1 });
  const shares = graph.op('Softmax', [graph.op('Add', [scores, mask])], { axis: -1 });
  const mixed = graph.op('Reshape', [graph.op('MatMul', [shares, values]), graph.integers([0, heads, -1, headSize])]);
  const byToken = graph.op('Transpose', [mixed], { perm: [0, 2, 1, 3] });
  return graph.op('Reshape', [byToken, graph.integers([-1, heads * headSize])]);
}
