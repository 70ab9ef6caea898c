import type { ChatModel, Reply, ReplyParams, TokenLogprob } from '../../src/conversation/chat-model.ts';
import type { Conversation } from '../../src/conversation/conversation.ts';

/** What a scripted model does: its reply to a conversation, and the probability it gives to a continuation's characters. */
export type Script = {
  reply(conversation: Conversation, how?: ReplyParams): string;
  /** Shows the tokens of its own replies where it is asked to. */
  readonly shows?: boolean;
  /** Of the character at `at` of `continuation`. */
  probability?(conversation: Conversation, continuation: string, at: number): number;
};

/** A model whose behaviour is known exactly, so that what a probe says of it is right or wrong. */
export function scriptedModel(name: string, script: Script): ChatModel {
  return {
    name,
    can: { prefill: true, logprobs: true, ownLogprobs: true, seed: true },
    reply: async (conversations, how) =>
      conversations.map((conversation, index) => {
        const shown = index < (how.tokensOfFirst ?? 0) && script.shows === true;
        return Array.from({ length: how.samples }, () => reply(script, conversation, how, shown));
      }),
    logprobs: async (items) =>
      items.map(({ conversation, continuation }) => tokensOf(script, conversation, continuation)),
  };
}

function reply(script: Script, conversation: Conversation, how: ReplyParams, shown: boolean): Reply {
  const text = script.reply(conversation, how);
  const tokens = shown ? tokensOf(script, conversation, text) : undefined;
  return { text, tokens, tokenCount: text.length + 1, stopReason: 'stop' };
}

/** A token a character. */
export function tokensOf(script: Script, conversation: Conversation, continuation: string): TokenLogprob[] {
  return [...continuation].map((text, at): TokenLogprob => {
    const probability = script.probability?.(conversation, continuation, at) ?? 1;
    return { text, logprob: Math.log(probability), topLogprob: Math.log(Math.max(probability, 1 - probability)) };
  });
}
