import type { Datum, LossOutput, Policy } from './engine.ts';

/** A loss C of the targets' logprobs, and its derivative with respect to each, `[datum][time]`. */
export type CustomLoss = (logprobs: readonly Float32Array[]) => {
  readonly loss: number;
  readonly gradients: readonly (readonly number[])[];
};

/**
 * Any loss that is a function of logprobs (DPO, unlikelihood, the FTPO margin) through an engine that knows only cross
 * entropy: a forward pass, C differentiated by the caller, and a backward pass with weights -dC/dlogp, whose gradient
 * is that of C by the chain rule. Costs one forward pass more.
 */
export async function customLossForwardBackward(
  policy: Policy,
  data: readonly Pick<Datum, 'input' | 'targets'>[],
  custom: CustomLoss,
): Promise<LossOutput> {
  const { logprobs } = await policy.forward(data, { kind: 'cross_entropy' });
  const { loss, gradients } = custom(logprobs);
  const weighted = data.map((datum, index) => ({ ...datum, weights: gradients[index]!.map((gradient) => -gradient) }));
  await policy.forwardBackward(weighted, { kind: 'cross_entropy' });
  return { loss, logprobs };
}
