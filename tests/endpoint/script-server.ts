import type { Conversation } from '../../src/conversation/conversation.ts';
import { type Script, tokensOf } from '../probes/scripted-model.ts';
import { type Act, chatReply, modelList, type StubMessage } from './stub-server.ts';

/** Whose logprobs a server shows: of the tokens of its replies, or of a prompt as well. */
type Shown = 'none' | 'own' | 'prompt';

/** Serves a script as a chat model that goes on from a last assistant turn; its replies are the same at every seed. */
export function scriptServer(script: Script, { milliseconds = 0, logprobs = 'none' as Shown } = {}): Act {
  return async ({ path, body }) => {
    if (path.endsWith('/models')) return modelList('script');
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    const conversation = conversationOf(body.messages!);
    const text = goOn(script, conversation, body.temperature ?? 1);
    const reply = chatReply(text);
    if (logprobs === 'none') return reply;
    const choices = reply.choices.map((choice) => {
      return body.logprobs ? { ...choice, logprobs: { content: chatTokens(script, conversation, text) } } : choice;
    });
    const shown = logprobs === 'prompt' && body.prompt_logprobs !== undefined;
    return { ...reply, choices, ...(shown ? { prompt_logprobs: promptTokens(script, conversation) } : {}) };
  };
}

/** As a language model does, a script goes on from a beginning of its own reply to the rest of it. */
function goOn(script: Script, conversation: Conversation, temperature: number): string {
  const how = { maxTokens: 1000, temperature, seed: 0, samples: 1 };
  const last = conversation.at(-1)!;
  const fresh = last.role === 'assistant' ? script.reply(conversation.slice(0, -1), how) : '';
  return fresh.startsWith(last.text) ? fresh.slice(last.text.length) : script.reply(conversation, how);
}

function conversationOf(messages: readonly StubMessage[]): Conversation {
  return messages.map(({ role, content }) => ({ role: role as 'user' | 'assistant', text: content, origin: 'given' })); // no other roles are sent
}

function chatTokens(script: Script, conversation: Conversation, text: string) {
  return tokensOf(script, conversation, text).map(({ text: token, logprob, topLogprob }) => {
    return { token, logprob, top_logprobs: [{ token: 'top', logprob: topLogprob }] };
  });
}

/** As vLLM writes them: by token id, the first of the prompt without one. */
function promptTokens(script: Script, conversation: Conversation) {
  const before = conversation.slice(0, -1);
  const own = tokensOf(script, before, conversation.at(-1)!.text).map(({ text, logprob, topLogprob }) => {
    const written = { '900': { logprob, rank: logprob < topLogprob ? 2 : 1, decoded_token: text } };
    return logprob < topLogprob
      ? { ...written, '17': { logprob: topLogprob, rank: 1, decoded_token: 'top' } }
      : written;
  });
  return [null, ...own];
}
