import type { ContentfulStatusCode } from 'hono/utils/http-status';

export type ApiErrorDetails = {
  readonly status: ContentfulStatusCode;
  /** The field that is wrong. */
  readonly param?: string | undefined;
  /** For programs; messages may change. */
  readonly code?: string;
};

/**
 * What a client is told instead of an answer.
 * @see https://platform.openai.com/docs/guides/error-codes
 */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly status: ContentfulStatusCode;
  readonly #param: string | undefined;
  readonly #code: string | undefined;

  constructor(message: string, { status, param, code }: ApiErrorDetails) {
    super(message.replaceAll(/\p{Cc}+/gu, ' ')); // it may quote the client, who may write anything
    this.status = status;
    this.#param = param;
    this.#code = code;
  }

  /** The body in OpenAI's form. */
  body(): object {
    const type = TYPES[this.status] ?? (this.status < 500 ? 'invalid_request_error' : 'server_error');
    return { error: { message: this.message, type, param: this.#param ?? null, code: this.#code ?? null } };
  }
}

const TYPES: Readonly<Record<number, string>> = { 401: 'authentication_error', 429: 'rate_limit_error' };

/** The request itself is wrong: 400. */
export function badRequest(message: string, param?: string, code?: string): ApiError {
  return new ApiError(message, { status: 400, param, ...(code === undefined ? {} : { code }) });
}
