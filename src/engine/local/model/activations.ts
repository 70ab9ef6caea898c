/** What a gate passes through: the sigmoid's or the hyperbolic tangent's form of the Gaussian's. */
export type Activation = 'silu' | 'gelu_tanh';

/** By the names that transformers has for them. */
export const activations: Readonly<Record<string, Activation>> = {
  silu: 'silu',
  swish: 'silu',
  gelu_pytorch_tanh: 'gelu_tanh',
  gelu_new: 'gelu_tanh',
};
