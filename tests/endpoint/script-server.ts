import type { Conversation } from '../../src/chat/conversation.ts';
import type { Script } from '../probes/scripted-model.ts';
import { type Act, chatReply, modelList, type StubMessage } from './stub-server.ts';

/** Serves a script as a chat model that goes on from a last assistant turn; its replies are the same at every temperature. */
export function scriptServer(script: Script, milliseconds = 0): Act {
  return async ({ path, body }) => {
    if (path.endsWith('/models')) return modelList('script');
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    return chatReply(goOn(script, conversationOf(body.messages!)));
  };
}

/** As a language model does, a script goes on from a beginning of its own reply to the rest of it. */
function goOn(script: Script, conversation: Conversation): string {
  const last = conversation.at(-1)!;
  const fresh = last.role === 'assistant' ? script.reply(conversation.slice(0, -1)) : '';
  return fresh.startsWith(last.text) ? fresh.slice(last.text.length) : script.reply(conversation);
}

function conversationOf(messages: readonly StubMessage[]): Conversation {
  return messages.map(({ role, content }) => ({ role: role as 'user' | 'assistant', text: content, origin: 'given' })); // no other roles are sent
}
