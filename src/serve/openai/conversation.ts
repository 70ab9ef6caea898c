import type { Conversation, Turn } from '../../conversation/conversation.ts';
import { badRequest } from './api-error.ts';
import type { ChatBody, ChatMessage } from './chat-body.ts';

/**
 * The messages as turns. A last assistant message is left open and continued, whichever of the ways in use asks for it.
 * @throws ApiError 400 where the flags ask for something else, or contradict each other.
 */
export function readConversation(body: ChatBody): Conversation {
  checkOpenTurn(body);
  return body.messages.map(({ role, content }): Turn => {
    const text = content.map((part) => part.text).join('');
    return { role: role === 'developer' ? 'system' : role, text, origin: 'given' };
  });
}

function checkOpenTurn({ messages, continue_final_message, add_generation_prompt }: ChatBody): void {
  const open = messages.at(-1)!.role === 'assistant'; // at least one is there
  const early = messages.findIndex(({ prefix }, at) => prefix === true && !(open && at === messages.length - 1));
  if (early >= 0) refuse(`messages[${early}].prefix`, 'only a last assistant message can be left open');
  if (open) checkContinued(messages, { continue_final_message, add_generation_prompt });
  else checkOpened({ continue_final_message, add_generation_prompt });
}

type Flags = Pick<ChatBody, 'continue_final_message' | 'add_generation_prompt'>;

const CONTINUED = 'a last assistant message is continued here; leave this out, or end with another role';

function checkContinued(messages: readonly ChatMessage[], flags: Flags): void {
  if (flags.continue_final_message === false) refuse('continue_final_message', CONTINUED);
  if (flags.add_generation_prompt === true) refuse('add_generation_prompt', CONTINUED);
  if (messages.at(-1)!.prefix === false) refuse(`messages[${messages.length - 1}].prefix`, CONTINUED);
}

function checkOpened(flags: Flags): void {
  if (flags.continue_final_message === true) {
    refuse('continue_final_message', 'the last message is not the assistant’s, so there is nothing to continue');
  }
  if (flags.add_generation_prompt === false) {
    refuse('add_generation_prompt', 'a reply needs its turn opened; leave this out, or end with an assistant message');
  }
}

function refuse(param: string, why: string): never {
  throw badRequest(`${param}: ${why}`, param, 'invalid_value');
}
