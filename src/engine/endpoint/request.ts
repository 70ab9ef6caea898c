import { type Conversation, mergeTurns, type Turn } from '../../conversation/conversation.ts';
import type { Answer } from './answer.ts';
import type { Body } from './sender.ts';

/** How an endpoint is made to go on from an open assistant turn. */
export const prefillDialects = ['continue_final_message', 'prefix', 'trailing', 'completions'] as const;
export type PrefillDialect = (typeof prefillDialects)[number];

/** How one has to speak to this endpoint: found out by the self-test, never assumed. */
export type Dialect = {
  readonly route: 'chat' | 'completions' | 'messages';
  /** What to write an open turn as; undefined where none is gone on with. */
  readonly prefill: PrefillDialect | undefined;
  /** The open turn is given back in front of what is written on behind it, as llama.cpp's server does. */
  readonly echoes: boolean;
  readonly maxTokens: 'max_tokens' | 'max_completion_tokens';
  /** False where a temperature is refused: replies then come at the server's own. */
  readonly temperature: boolean;
  readonly seed: boolean;
  /** Turns of one role in a row are one turn, where the server or its template refuses them. */
  readonly mergeTurns: boolean;
};

/** One request, in the words of neither protocol. */
export type Ask = {
  readonly conversation: Conversation;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topP?: number | undefined;
  readonly seed: number;
  readonly stop?: readonly string[];
  /** Replies in this one request. */
  readonly samples: number;
  /** With the logprobs of the reply's own tokens. */
  readonly tokens: boolean;
  /** With the logprobs of the prompt's tokens. */
  readonly prompt: 'prompt_logprobs' | 'echo' | undefined;
};

/** A path and a JSON body, and how to read what comes back. */
export type Request = {
  readonly path: string;
  readonly body: Body;
  /** @throws ZodError, or anything else, where the reply is not what the protocol says. */
  read(json: unknown): Answer;
};

/** Turns a conversation into the text of a prompt, the last turn left open. */
export type Render = (conversation: Conversation) => string;

/** Whether the model has to go on from the last turn. */
export const isOpen = (conversation: Conversation): boolean => conversation.at(-1)?.role === 'assistant';

/** A request without the fields that have no value. */
export function compact(fields: Body): Body {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

export type Message = { readonly role: 'system' | 'user' | 'assistant'; readonly content: string };

/** Tool output is shown as the user's: a tool turn has to answer a tool call, of which there is none. */
export function messagesOf(conversation: Conversation, merge: boolean): Message[] {
  const message = ({ role, text }: Turn): Message => ({ role: role === 'tool' ? 'user' : role, content: text });
  const told = conversation.map((turn): Turn => ({ ...turn, role: message(turn).role }));
  return (merge ? mergeTurns(told) : told).map(message);
}
