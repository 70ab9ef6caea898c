import type { Conversation } from './conversation.ts';

/** How to draw replies. `stop` is the backend's own end of turn. */
export type ReplyParams = {
  readonly maxTokens: number;
  /** 0 is greedy. */
  readonly temperature: number;
  readonly topP?: number;
  readonly seed: number;
  /** The place of the first conversation where a large call is made in parts: the draws are those of the large one. */
  readonly place?: number;
  /** Replies per conversation. */
  readonly samples: number;
  /** Replies to this many conversations, from the first on, carry their tokens. Costs a second pass; absent: none. */
  readonly tokensOfFirst?: number;
};

export type TokenLogprob = {
  readonly text: string;
  /** Natural log of the probability of this token, nats. */
  readonly logprob: number;
  /** The same of the most likely token here: surprise is 1 - exp(logprob - topLogprob). */
  readonly topLogprob: number;
};

export type Reply = {
  readonly text: string;
  /** The sampled token ids of `text`; undefined where the backend does not show them. */
  readonly ids?: readonly number[];
  /** What `text` is made of, where {@link ReplyParams.tokensOfFirst} asked for it. */
  readonly tokens: readonly TokenLogprob[] | undefined;
  /** Sampled tokens, the one that ended the turn included. */
  readonly tokenCount: number;
  readonly stopReason: 'stop' | 'length';
  /** Why there is no reply, or only the beginning of one: the server, or its filter, refused this conversation. */
  readonly refused?: string;
};

/** What a backend can honour: measured by a live self-test, never assumed. */
export type Capabilities = {
  /** An open turn is gone on from. */
  readonly prefill: boolean;
  /** Logprobs of a given text. */
  readonly logprobs: boolean;
  /** Logprobs of the tokens of its own replies. */
  readonly ownLogprobs: boolean;
  /** The same seed gives the same replies. */
  readonly seed: boolean;
};

/** All that a probe needs of a model. Whether the last assistant turn is open (prefill) is said per call. */
export interface ChatModel {
  readonly name: string;
  readonly can: Capabilities;
  /** Returns `[conversation][sample]`. A conversation that ends in an assistant turn is continued from it. */
  reply(conversations: readonly Conversation[], how: ReplyParams): Promise<Reply[][]>;
  /** Logprobs of each given continuation, token by token. Throws EngineError where `can.logprobs` is false. */
  logprobs(items: readonly { conversation: Conversation; continuation: string }[]): Promise<TokenLogprob[][]>;
}
