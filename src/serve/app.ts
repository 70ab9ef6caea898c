import { Hono } from 'hono';
import { bearsKey } from './api-key.ts';
import { isOwnName, type OwnAddress } from './host-rule.ts';
import { ApiError } from './openai/api-error.ts';
import { catalogueOf, type ModelCatalogue, openAiRoutes } from './openai/routes.ts';
import { BodyTooLarge, UploadStalled } from './read-limited.ts';
import type { ServedModel } from './served-model.ts';
import { ServerBusy } from './server-busy.ts';

export type AppOptions = {
  /** Asked of every request but for `/health`; absent: none. */
  readonly apiKey: string | undefined;
  readonly address: OwnAddress;
  /** Mounted beside the OpenAI endpoints where there is one. */
  readonly tinker?: TinkerMount;
  /** Called with what went wrong on our side. */
  onFault(error: unknown): void;
};

/** A Tinker service as the server mounts it: its routes, and the models that it can answer for. */
export type TinkerMount = { readonly catalogue: ModelCatalogue; readonly routes: Hono };

/** All that the server answers, as a function from Request to Response. */
export function serveApp(model: ServedModel, options: AppOptions): Hono {
  const { address, onFault, tinker } = options;
  const app = new Hono();
  app.use(async (context, next) => {
    if (!isOwnName(context, address)) return respond(wrongHost());
    await next();
  });
  app.get('/health', (context) => context.json({ status: 'ok', waiting: model.waiting }));
  if (tinker === undefined) addOpenAi(app, '/v1', catalogueOf(model), options);
  else {
    for (const place of ['/v1', '/oai/api/v1']) addOpenAi(app, place, tinker.catalogue, options);
    app.route('/api/v1', tinker.routes);
  }
  app.notFound(({ req }) => respond(new ApiError(`there is no ${req.method} ${req.path} here`, { status: 404 })));
  app.onError((error, { req }) => {
    if (req.raw.signal.aborted) return respond(new ApiError('the client went away', { status: 408 }));
    const told = toApiError(error);
    if (told.status === 500) onFault(error);
    return respond(told);
  });
  return app;
}

function addOpenAi(app: Hono, place: string, catalogue: ModelCatalogue, { apiKey }: AppOptions): void {
  app.use(`${place}/*`, async ({ req }, next) => {
    if (apiKey !== undefined && !bearsKey(req.header('authorization'), apiKey)) throw wrongKey();
    await next();
  });
  app.route(place, openAiRoutes(catalogue));
}

function respond(error: ApiError): Response {
  const retry = error.status === 429 || error.status === 503 ? { 'retry-after': '1' } : {};
  const close = error.status === 408 || error.status === 413 ? { connection: 'close' } : {}; // the rest of the body is not read
  return Response.json(error.body(), { status: error.status, headers: { ...retry, ...close } });
}

function wrongHost(): ApiError {
  const message = 'the request is for another host; ask for 127.0.0.1, or start the server with --public-url ADDRESS';
  return new ApiError(message, { status: 403, code: 'wrong_host' });
}

function wrongKey(): ApiError {
  return new ApiError('the API key is missing or wrong; send Authorization: Bearer KEY', {
    status: 401,
    code: 'invalid_api_key',
  });
}

function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof BodyTooLarge) return new ApiError(error.message, { status: 413, code: 'body_too_large' });
  if (error instanceof UploadStalled) return new ApiError(error.message, { status: 408, code: 'upload_stalled' });
  if (error instanceof ServerBusy) return new ApiError(error.message, { status: 429, code: 'server_busy' });
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return new ApiError('the answer took too long; ask for less, or later', { status: 503, code: 'timeout' });
  }
  return new ApiError('the server failed; its log says why', { status: 500 });
}
