import type { ContentfulStatusCode } from 'hono/utils/http-status';

/**
 * What a client is told instead of an answer. 400, 404 and 413 are raised to its caller at once; 429 it sends again by
 * itself, and 409 and 5xx it would send again for minutes, so they are never said for good.
 */
export class Refusal extends Error {
  override name = 'Refusal';
  readonly status: ContentfulStatusCode;

  constructor(message: string, status: ContentfulStatusCode = 400) {
    super(message.replaceAll(/\p{Cc}+/gu, ' ')); // it may quote the client, who may write anything
    this.status = status;
  }

  body(): object {
    return { detail: this.message };
  }
}

/** What a client wrote, short enough for a message. */
export const quoted = (text: string): string => JSON.stringify(text.slice(0, 100));
