import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { bearsKey } from './api-key.ts';
import { ApiError } from './openai/api-error.ts';
import { openAiRoutes } from './openai/routes.ts';
import type { ServedModel } from './served-model.ts';
import { ServerBusy } from './server-busy.ts';

/** Far above any context this engine can hold, far below what would hurt. */
const BODY_BYTES = 2 ** 20;

export type AppOptions = {
  /** Asked of every request under `/v1`; absent: none. */
  readonly apiKey: string | undefined;
  /** Called with what went wrong on our side. */
  onFault(error: unknown): void;
};

/** All that the server answers, as a function from Request to Response. */
export function serveApp(model: ServedModel, { apiKey, onFault }: AppOptions): Hono {
  const app = new Hono();
  app.get('/health', (context) => context.json({ status: 'ok', waiting: model.waiting }));
  app.use('/v1/*', async ({ req }, next) => {
    if (apiKey !== undefined && !bearsKey(req.header('authorization'), apiKey)) throw wrongKey();
    await next();
  });
  app.use('/v1/*', bodyLimit({ maxSize: BODY_BYTES, onError: refuseSize }));
  app.route('/v1', openAiRoutes(model));
  app.notFound(({ req }) => respond(new ApiError(`there is no ${req.method} ${req.path} here`, { status: 404 })));
  app.onError((error, { req }) => {
    if (req.raw.signal.aborted) return respond(new ApiError('the client went away', { status: 408 }));
    const told = toApiError(error);
    if (told.status === 500) onFault(error);
    return respond(told);
  });
  return app;
}

function respond(error: ApiError): Response {
  const retry = error.status === 429 || error.status === 503 ? { 'retry-after': '1' } : {};
  return Response.json(error.body(), { status: error.status, headers: retry });
}

function wrongKey(): ApiError {
  return new ApiError('the API key is missing or wrong; send Authorization: Bearer KEY', {
    status: 401,
    code: 'invalid_api_key',
  });
}

function refuseSize(): never {
  throw new ApiError(`the body has more than ${BODY_BYTES} bytes`, { status: 413, code: 'body_too_large' });
}

function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof ServerBusy) return new ApiError(error.message, { status: 429, code: 'server_busy' });
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return new ApiError('the answer took too long; ask for less, or later', { status: 503, code: 'timeout' });
  }
  return new ApiError('the server failed; its log says why', { status: 500 });
}
