import type { Datum, Policy } from '../../engine/engine.ts';
import { parseConfig } from '../../engine/local/model/architectures.ts';
import { initialWeights } from '../../engine/local/model/weights.ts';
import { LocalPolicy } from '../../engine/local/policy/local-policy.ts';
import { Runtime } from '../../engine/local/runtime/runtime.ts';

/** The size of a Llama that is trained from scratch in minutes. */
export type SmallShape = {
  readonly vocabulary: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** Longest text in tokens. */
  readonly context: number;
};

export type SmallModel = { readonly policy: Policy; readonly parameters: number };

/** A fresh Llama on the embedded engine, by seed; `use` gets it, and it is closed afterwards. */
export async function withSmallModel<Result>(
  shape: SmallShape,
  seed: number,
  use: (model: SmallModel) => Promise<Result>,
): Promise<Result> {
  const runtime = Runtime.open();
  try {
    const weights = initialWeights(parseConfig('a small model', configOf(shape)), seed);
    return await use({ policy: new LocalPolicy(runtime, weights), parameters: weights.flat.length });
  } finally {
    await runtime.close();
  }
}

function configOf({ vocabulary, width, layers, heads, context }: SmallShape): Record<string, unknown> {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: vocabulary,
    hidden_size: width,
    intermediate_size: Math.ceil((8 * width) / 3 / 16) * 16,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    max_position_embeddings: context,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: true,
  };
}

export type Training = {
  readonly steps: number;
  readonly learningRate: number;
  /** The batch of a step; weights may be missing, and the loss is a mean over all that is asked for. */
  batch(step: number): readonly Datum[];
  /** After each step: the share done, and the mean loss in nats. */
  after?(share: number, loss: number, step: number): void | Promise<void>;
};

/** AdamW with warm-up over 5 % of the steps and a linear decay over the last 40 %. */
export async function train(policy: Policy, { steps, learningRate, batch, after }: Training): Promise<void> {
  for (let step = 0; step < steps; step++) {
    const data = meanOver(batch(step));
    const { loss } = await policy.forwardBackward(data, { kind: 'cross_entropy' });
    await policy.optimStep({
      learningRate: learningRate * pace(step / steps),
      beta1: 0.9,
      beta2: 0.98,
      epsilon: 1e-9,
      weightDecay: 0.05,
      clipNorm: 1,
    });
    await after?.((step + 1) / steps, loss, step);
  }
}

const pace = (share: number): number => Math.min(1, (share + 0.001) / 0.05, Math.max(0.05, (1 - share) / 0.4));

/** Losses of the engine are sums: weights that add up to one make them means. */
function meanOver(batch: readonly Datum[]): Datum[] {
  const weights = batch.map((datum) => datum.weights ?? datum.input.map(() => 1));
  const total = weights.flat().reduce((sum, weight) => sum + weight, 0);
  return batch.map((datum, index) => ({ ...datum, weights: (weights[index] ?? []).map((weight) => weight / total) }));
}
