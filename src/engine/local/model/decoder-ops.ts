import type { Value } from '../compiler/onnx/graph-builder.ts';
import type { ModelConfig } from './model-config.ts';

/**
 * What a decoder layer is written in. There are two implementations: `training-decoder.ts` emits it on a tape, which
 * can be differentiated, `inference-decoder.ts` in as few nodes as possible. Activations are rows, one a token; norms
 * and projections are known by their names without `.weight` and `.bias`.
 */
export interface DecoderOps {
  readonly config: ModelConfig;
  /** RMSNorm of rows of this width, times the gain. */
  norm(x: Value, gain: string, width: number): Value;
  /** The outputs of these projections of x, side by side. */
  project(x: Value, ...projections: readonly Projection[]): Value;
  /** The residual stream plus a projection of x. */
  projectOnto(stream: Value, x: Value, projection: Projection): Value;
  /** The residual stream plus an update. */
  add(stream: Value, update: Value): Value;
  /** Columns side by side. @param widths of the parts. */
  beside(parts: readonly Value[], widths: readonly number[]): Value;
  /** Columns apart. @param widths of the parts. */
  apart(x: Value, widths: readonly number[]): readonly Value[];
  /** The activation of gate, times up. */
  gated(gate: Value, up: Value): Value;
  /**
   * What each token takes from the tokens that it sees, from rows of all queries, keys and values side by side.
   * Queries and keys are turned by the layer's rotary table.
   */
  attend(layer: number, projected: Value, headNorms?: HeadNorms): Value;
  /** Of these rows those that are needed behind the attention of this layer. */
  asked(layer: number, rows: Value): Value;
}

/** A matrix `[to, from]`, as Hugging Face stores it, with a bias where the config has one. */
export type Projection = { readonly name: string; readonly from: number; readonly to: number };

/** Gains of the norms of each head's query and key, which come before they are turned (Qwen3). */
export type HeadNorms = { readonly query: string; readonly key: string };
