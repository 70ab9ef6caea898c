import type { Conversation } from '../../conversation/conversation.ts';

/** @file A model's own replies, cut in the middle, to find out whether a server continues them. */

/** A greedy reply of the model's own, to hold others against. */
export type Own = { readonly conversation: Conversation; readonly text: string };

/** A reply cut in two: a conversation that ends in the open first half, and the second half. */
export type Cut = { readonly open: Conversation; readonly rest: string };

/** No model writes this of its own accord. */
export const FOREIGN = 'Zebra 4711 is the';

/** So many characters have to agree: chance alone does not bring them about. */
export const AGREED = 6;

/** Whether what was written is what stood behind the cut; `echoes`: behind the open turn, given back. */
export function isContinued({ open, rest }: Cut, written: string, echoes: boolean): boolean {
  const before = echoes ? (open.at(-1)?.text ?? '') : '';
  return written.startsWith(before + rest.slice(0, AGREED));
}

/** Cut before a space where there is one near the middle: tokens begin there. */
export function cut({ conversation, text }: Own): Cut {
  const middle = Math.floor(text.trimEnd().length / 2);
  const space = text.slice(0, middle + 1).search(/\s\S*$/);
  const at = space > middle / 2 ? space : middle;
  const open: Conversation = [...conversation, { role: 'assistant', text: text.slice(0, at), origin: 'sampled' }];
  return { open, rest: text.slice(at).trimEnd() };
}
