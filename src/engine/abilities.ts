/**
 * What an engine may be without, beside what each has: cross entropy of given tokens with positive weights, and logprobs
 * of given tokens.
 */
export const abilities = {
  sampling: 'sampling',
  signed_weights: 'cross entropy with weights of any sign and sum',
  soft_targets: 'cross entropy with several targets a position',
  top_logprobs: 'logprobs of the likeliest tokens',
  importance_sampling: 'the importance-sampling loss',
} as const;

export type Ability = keyof typeof abilities;
