import type { Value } from '../compiler/onnx/graph-builder.ts';
import type { ModelConfig } from './model-config.ts';

/**
 * The operations that a decoder layer is written in. Two implementations emit them: `training-decoder.ts` on a tape that
 * can be differentiated, `inference-decoder.ts` in as few nodes as possible. Activations are rows, one per token. Norms and
 * projections are named without `.weight` and `.bias`.
 */
export interface DecoderOps {
  readonly config: ModelConfig;
  /** Applies RMSNorm to rows of this width, times the gain. */
  norm(x: Value, gain: string, width: number): Value;
  /** Applies projections to x; their outputs stand side by side. */
  project(x: Value, ...projections: readonly Projection[]): Value;
  /** Adds a projection of x to the residual stream. */
  projectOnto(stream: Value, x: Value, projection: Projection): Value;
  /** Adds an update to the residual stream. */
  add(stream: Value, update: Value): Value;
  /** Concatenates columns. @param widths of the parts. */
  beside(parts: readonly Value[], widths: readonly number[]): Value;
  /** Splits columns. @param widths of the parts. */
  apart(x: Value, widths: readonly number[]): readonly Value[];
  /** Applies the activation to gate and multiplies by up. */
  gated(gate: Value, up: Value): Value;
  /**
   * Applies attention to rows with all queries, keys and values side by side. Rotates queries and keys by the layer's
   * rotary table, and hides what lies outside its window.
   */
  attend(layer: number, projected: Value, headNorms?: HeadNorms): Value;
  /** Keeps the rows that are still needed after the attention of this layer. */
  asked(layer: number, rows: Value): Value;
}

/** A matrix `[to, from]`, as Hugging Face stores it, with a bias where the config has one. */
export type Projection = { readonly name: string; readonly from: number; readonly to: number };

/** Gains of the norms on each head's query and key, applied before rotation (Qwen3). */
export type HeadNorms = { readonly query: string; readonly key: string };
