/** What a stage costs, as far as its options tell; the runner turns it into minutes at the machine's measured rates. */
export type Cost = {
  /** Optimiser steps. */
  readonly steps: number;
  /** Tokens that go through forward and backward, replay included. */
  readonly trainedTokens: number;
  /** Tokens drawn from a sampler. */
  readonly sampledTokens: number;
};
