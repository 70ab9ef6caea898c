import type { ChatModel, Reply, TokenLogprob } from '../../src/chat/chat-model.ts';
import type { Conversation } from '../../src/chat/conversation.ts';

/** What a scripted model does: its reply to a conversation, and the probability it gives to a continuation's characters. */
export type Script = {
  reply(conversation: Conversation): string;
  /** Of the character at `at` of `continuation`. */
  probability?(conversation: Conversation, continuation: string, at: number): number;
};

/** A model whose behaviour is known exactly, so that what a probe says of it is right or wrong. */
export function scriptedModel(name: string, script: Script): ChatModel {
  return {
    name,
    can: { prefill: true, logprobs: true, seed: true },
    reply: async (conversations, how) =>
      conversations.map((conversation) => Array.from({ length: how.samples }, () => reply(script.reply(conversation)))),
    logprobs: async (items) =>
      items.map(({ conversation, continuation }) =>
        [...continuation].map((text, at): TokenLogprob => {
          const probability = script.probability?.(conversation, continuation, at) ?? 1;
          return { text, logprob: Math.log(probability), topLogprob: Math.log(Math.max(probability, 1 - probability)) };
        }),
      ),
  };
}

function reply(text: string): Reply {
  return { text, tokens: undefined, tokenCount: text.length + 1, stopReason: 'stop' };
}
