/**
 * How one server has to be dealt with, where servers differ. Found out at connect (`conformance.ts`), never assumed; what
 * was found stands in the run's record.
 */
export type Rules = NumberRules & {
  /** `sum` as the protocol says, or the mean over the sequences of a step of each one's mean over its tokens. */
  readonly reduction: 'sum' | 'mean';
  /** Whether the logprobs of what was sampled are those of the tempered distribution, as the protocol says. */
  readonly temperedLogprobs: boolean;
  /** Whether weights to sample from may go without a name. */
  readonly namelessSamplers: boolean;
  /** Whether likely tokens beside the given ones are shown. */
  readonly topLogprobs: boolean;
};

/** What becomes of the numbers of a model's requests. */
export type NumberRules = {
  /** Whether a request that is refused uses up its number. */
  readonly refusedCounts: boolean;
  /** Whether one that was accepted and then fails does. */
  readonly failedCounts: boolean;
  /** Whether a request that comes twice is carried out once, and answered twice. */
  readonly knowsRepeats: boolean;
};

/** What the protocol says: how a server is asked until it is known better. */
export const PROTOCOL: Rules = {
  refusedCounts: true,
  failedCounts: true,
  knowsRepeats: true,
  reduction: 'sum',
  temperedLogprobs: true,
  namelessSamplers: true,
  topLogprobs: true,
};
