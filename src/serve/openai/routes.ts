import { setMaxListeners } from 'node:events';
import { type Context, Hono } from 'hono';
import { readLimited } from '../read-limited.ts';
import type { ServedModel } from '../served-model.ts';
import { ApiError, badRequest } from './api-error.ts';
import { answerChat } from './chat.ts';
import { answerCompletion } from './completions.ts';
import type { Answer } from './envelope.ts';
import { eventStream } from './event-stream.ts';

/** @file The OpenAI-compatible endpoints, to be mounted at `/v1`. */

/** Far above any context this engine can hold, far below what would hurt. */
const BODY_BYTES = 2 ** 20;

/** What is offered under which name. */
export type ModelCatalogue = {
  readonly listed: readonly [ServedModel, ...ServedModel[]];
  find(name: string): Promise<ServedModel | undefined>;
};

/** A catalogue with one model. */
export function catalogueOf(model: ServedModel): ModelCatalogue {
  return { listed: [model], find: async (name) => (name === model.id ? model : undefined) };
}

/** Longest time from a request to the beginning of its answer. */
const ANSWER_MS = 120_000;

type Answerer = (model: ServedModel, body: unknown, signal: AbortSignal) => Promise<Answer>;

export function openAiRoutes(catalogue: ModelCatalogue): Hono {
  const routes = new Hono();
  routes.get('/models', (context) => context.json({ object: 'list', data: catalogue.listed.map(cardOf) }));
  routes.get('/models/:id', async (context) => context.json(cardOf(await modelOf(catalogue, context.req.param('id')))));
  routes.post('/chat/completions', (context) => answer(context, catalogue, answerChat));
  routes.post('/completions', (context) => answer(context, catalogue, answerCompletion));
  return routes;
}

function cardOf({ id, created, maxPositions, problemFamily }: ServedModel): object {
  const hint = problemFamily && { problem_family: problemFamily };
  return { id, object: 'model', created, owned_by: 'unrut', max_model_len: maxPositions, ...hint };
}

async function answer(context: Context, catalogue: ModelCatalogue, answerer: Answerer): Promise<Response> {
  const body = await readJson(context);
  const asked = typeof body === 'object' && body !== null && 'model' in body ? body.model : undefined;
  const model = await modelOf(catalogue, asked);
  const { signal, begin, end } = openRequest(context.req.raw.signal);
  try {
    const given = await answerer(model, body, signal);
    begin();
    if ('events' in given) return eventStream(given.events, end);
    end();
    return context.json(given.body);
  } catch (error) {
    end();
    throw error;
  }
}

/** Nothing of a request waits any longer once it is answered, has failed, took too long to begin or has lost its client. */
function openRequest(client: AbortSignal) {
  const over = new AbortController();
  setMaxListeners(0, over.signal); // each prompt of a request has one
  const late = setTimeout(() => over.abort(new DOMException('too late', 'TimeoutError')), ANSWER_MS);
  const gone = () => over.abort(client.reason);
  if (client.aborted) gone();
  client.addEventListener('abort', gone);
  const begin = () => clearTimeout(late);
  const end = () => {
    clearTimeout(late);
    client.removeEventListener('abort', gone);
    over.abort();
  };
  return { signal: over.signal, begin, end };
}

async function modelOf({ listed, find }: ModelCatalogue, asked: unknown): Promise<ServedModel> {
  if (typeof asked !== 'string') return listed[0]; // what is no text is refused with the rest of the body
  const model = await find(asked);
  if (model !== undefined) return model;
  const shown = JSON.stringify(asked.slice(0, 100));
  throw new ApiError(`the model ${shown} is not here; this server has ${JSON.stringify(listed[0].id)}`, {
    status: 404,
    param: 'model',
    code: 'model_not_found',
  });
}

/** Another content type could come from any web page without the browser asking first. */
async function readJson(context: Context): Promise<unknown> {
  const type = context.req.header('content-type') ?? '';
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new ApiError('send the header content-type: application/json', {
      status: 415,
      code: 'unsupported_media_type',
    });
  }
  const text = Buffer.from(await readLimited(context, BODY_BYTES)).toString();
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequest(`the body is not JSON: ${(error as Error).message}`); // JSON.parse throws nothing else
  }
}
