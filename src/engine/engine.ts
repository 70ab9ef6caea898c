/**
 * The seam between algorithms and engines. What stands above it (stages, probes) knows tokens and per-token streams;
 * what stands below (the embedded engine, a Tinker service) knows tensors. Semantics follow the Tinker API: gradients
 * accumulate until {@link Policy.optimStep}, and every loss is a SUM over tokens and data, never a mean.
 */

export type TokenIds = readonly number[];

export type SamplingParams = {
  /** Longest continuation in tokens, the stop token included. */
  readonly maxTokens: number;
  /** 0 is greedy. */
  readonly temperature: number;
  /** Nucleus mass in (0, 1]; absent means 1. */
  readonly topP?: number;
  /** Keep the k most likely tokens; absent means all. */
  readonly topK?: number;
  /** Same seed, same prompts, same weights: same tokens. */
  readonly seed: number;
  /** The place of the first prompt where a large call is made in parts: the draws are those of the large one. Absent: 0. */
  readonly place?: number;
  /** One a prompt, in place of `seed`: a prompt is then drawn from as if it were the only one of the call. */
  readonly seeds?: readonly number[];
  /** Token ids that end a continuation; the stop token is part of what was sampled. */
  readonly stop: TokenIds;
  /** Continuations per prompt. */
  readonly samples: number;
  /** False where nobody reads the logprobs: they may then be anything, and cost nothing. Absent means true. */
  readonly logprobs?: boolean;
  /** Logprobs under the tempered model, as a Tinker service has them; filters change neither. Absent means false. */
  readonly tempered?: boolean;
};

export type Sequence = {
  readonly tokens: TokenIds;
  /** Natural log of each sampled token's probability under the unfiltered and, unless asked otherwise, untempered model, `[time]`, nats. */
  readonly logprobs: readonly number[];
  readonly stopReason: 'stop' | 'length';
};

/** The k most likely next tokens at each position, `[time][k]`, most likely first; position t predicts token t + 1. */
export type TopLogprobs = { readonly tokens: Int32Array; readonly logprobs: Float32Array; readonly k: number };

/** Called with each sampled token as soon as it is there. */
export type OnToken = (prompt: number, sample: number, token: number, logprob: number) => void;

/** An immutable snapshot of the weights. Training on goes unseen by it. */
export interface Sampler {
  /**
   * Returns `[prompt][sample]`. A prompt is never empty.
   * @param onToken called by engines that know tokens before the end; the others never call it.
   */
  sample(prompts: readonly TokenIds[], how: SamplingParams, onToken?: OnToken): Promise<Sequence[][]>;
  /** Log-probability of each given token after the ones before it, `[time]`; the first entry is NaN. */
  logprobs(sequences: readonly TokenIds[]): Promise<Float32Array[]>;
  /**
   * The teacher's view: `[sequence]` of top-k next-token logprobs at every position. What stands before `from`, one a
   * sequence, is not read, and may then be anything.
   */
  topLogprobs(sequences: readonly TokenIds[], k: number, from?: readonly number[]): Promise<TopLogprobs[]>;
}

/** Soft targets `[time, k]`: for each position k token ids and their probabilities (need not sum to one). */
export type SoftTargets = { readonly tokens: Int32Array; readonly probabilities: Float32Array; readonly k: number };

/**
 * One training sequence and its per-token streams, all of length `[time]`. Position t reads `input[0..t]` and is asked
 * for `targets[t]`, which need not equal `input[t + 1]`: un-teaching asks for the right digit where the text has a wrong one.
 */
export type Datum = {
  readonly input: TokenIds;
  readonly targets: TokenIds | SoftTargets;
  /** cross_entropy: per-token weight, any real number; absent means 1 everywhere. Positions of weight 0 cost nothing. */
  readonly weights?: readonly number[];
  /** Policy-gradient losses: logprobs under the sampling policy, nats. */
  readonly logprobs?: readonly number[];
  /** Policy-gradient losses; 0 leaves the token out. */
  readonly advantages?: readonly number[];
};

/**
 * With p = exp(logprob of the target), r = p / p_sampling, A the advantage, all as sums over tokens:
 * - `cross_entropy`       -w log p                      (soft: -w sum_k q_k log p_k)
 * - `importance_sampling` -r A
 * - `ppo`                 -min(r A, clip(r, low, high) A)            (Schulman et al. 2017)
 * - `cispo`               -stopgrad(clip(r, low, high)) A log p      (MiniMax 2025)
 * - `dro`                 -(log p A - beta/2 (log p - log p_sampling)^2)  (Richemond et al. 2024)
 */
export type Loss =
  | { readonly kind: 'cross_entropy' }
  | { readonly kind: 'importance_sampling' }
  | { readonly kind: 'ppo'; readonly low: number; readonly high: number }
  | { readonly kind: 'cispo'; readonly low: number; readonly high: number }
  | { readonly kind: 'dro'; readonly beta: number };

export type LossOutput = {
  /** Sum over tokens and data, nats. */
  readonly loss: number;
  /** Logprob of each hard target, `[datum][time]`; for soft targets the cross entropy with its sign turned. */
  readonly logprobs: readonly Float32Array[];
};

export type AdamParams = {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Decoupled (AdamW): weights shrink by learningRate * weightDecay. */
  readonly weightDecay: number;
  /** Largest global L2 norm of the accumulated gradient; absent means no clipping. */
  readonly clipNorm?: number;
};

export type StepMetrics = { readonly gradientNorm: number; readonly step: number };

/** A model that can be trained. Calls are carried out in the order in which they are made. */
export interface Policy {
  /** Loss and logprobs only. */
  forward(batch: readonly Datum[], loss: Loss): Promise<LossOutput>;
  /** Adds this batch's gradient to the accumulated one. Throws EngineError naming the tensor on NaN or infinity. */
  forwardBackward(batch: readonly Datum[], loss: Loss): Promise<LossOutput>;
  /** Applies and clears the accumulated gradient. */
  optimStep(adam: AdamParams): Promise<StepMetrics>;
  sampler(): Promise<Sampler>;
  /** Writes weights and optimiser state into `folder`: beside it first, then renamed. */
  save(folder: string): Promise<void>;
  /** Restores weights and optimiser state of {@link save}. */
  load(folder: string): Promise<void>;
  close(): Promise<void>;
}
