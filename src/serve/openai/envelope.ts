import { randomUUID } from 'node:crypto';
import type { Choice } from './choice.ts';

/** What is sent back: one JSON body, or events one after the other. */
export type Answer = { readonly body: object } | { readonly events: AsyncIterable<object> | Iterable<object> };

/** What stands around the choices of one answer, the same in all of its events. */
export class Envelope {
  readonly #id: string;
  readonly #model: string;
  readonly #created = Math.floor(Date.now() / 1000);

  constructor(prefix: string, model: string) {
    this.#id = `${prefix}-${randomUUID()}`;
    this.#model = model;
  }

  open(object: string): object {
    return { id: this.#id, object, created: this.#created, model: this.#model };
  }
}

/** Tokens read, once a prompt, and sampled. */
export function usage(read: number, choices: readonly Choice[]): object {
  const sampled = choices.reduce((sum, choice) => sum + choice.sampled, 0);
  return { prompt_tokens: read, completion_tokens: sampled, total_tokens: read + sampled };
}
