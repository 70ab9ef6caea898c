import { createHash } from 'node:crypto';
import { type Context, Hono, type HonoRequest } from 'hono';
import { z } from 'zod';
import { WireError } from '../../errors.ts';
import { bearsKey, isKey } from '../../serve/api-key.ts';
import { type OwnAddress, ownUrl } from '../../serve/host-rule.ts';
import { BodyTooLarge, readLimited, UploadStalled } from '../../serve/read-limited.ts';
import { ServerBusy } from '../../serve/server-busy.ts';
import { decodeForwardBackwardRequest } from '../wire/forward-backward.ts';
import { parseJson } from '../wire/json.ts';
import * as wire from '../wire/requests.ts';
import { readPath } from './checkpoint-store.ts';
import { done, type Outcome } from './future-store.ts';
import type { Step } from './model-queue.ts';
import { Refusal } from './refusal.ts';
import { archiveOf, Signer } from './signed-archive.ts';
import type { TinkerService } from './tinker-service.ts';
import type { TrainedModel } from './trained-model.ts';

/** @file The Tinker API, to be mounted at `/api/v1`. */

const JSON_BYTES = 2 ** 23;
const PROTOBUF_BYTES = 2 ** 26;

/** Results above this size are announced first, where the client wants that. */
const LARGE_BYTES = 2 ** 20;

export type RouteOptions = {
  /** Asked of every request, as `X-API-Key` or as a bearer's; absent: none. */
  readonly apiKey?: string | undefined;
  readonly address: OwnAddress;
  /** Called with what went wrong on our side. */
  onFault(error: unknown): void;
};

/** A downloader has no key, and its address is signed; whether the server lives may be known. */
const OPEN = /^\/api\/v1\/(healthz|archive)$/;

export function tinkerRoutes(service: TinkerService, { apiKey, address, onFault }: RouteOptions): Hono {
  const routes = new Hono();
  routes.use('*', async ({ req }, next) => {
    if (apiKey !== undefined && !OPEN.test(req.path)) checkKey(req, apiKey);
    await next();
  });
  addBoot(routes, service);
  addTraining(routes, service);
  addSampling(routes, service);
  addFutures(routes, service);
  addRuns(routes, service);
  addArchive(routes, service, address);
  routes.all('*', ({ req }) => {
    throw new Refusal(`there is no ${req.method} ${req.path} here`, 404);
  });
  routes.onError((error) => {
    const told = toRefusal(error);
    if (told.status === 500) onFault(error);
    return respond(told);
  });
  return routes;
}

function toRefusal(error: Error): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof WireError) return new Refusal(error.message);
  if (error instanceof BodyTooLarge) return new Refusal(`${error.message}; send fewer data at a time`, 413);
  if (error instanceof UploadStalled) return new Refusal(error.message, 408);
  if (error instanceof ServerBusy) return new Refusal(error.message, 429);
  return new Refusal('the server failed; its log says why', 500);
}

function respond(refusal: Refusal): Response {
  const retry = refusal.status === 429 ? { 'retry-after': '1' } : {};
  return Response.json(refusal.body(), { status: refusal.status, headers: retry });
}

function checkKey(req: HonoRequest, key: string): void {
  if (isKey(req.header('x-api-key') ?? '', key) || bearsKey(req.header('authorization'), key)) return;
  throw new Refusal('the API key is missing or wrong; send it as X-API-Key', 401);
}

function addBoot(routes: Hono, { base, sessions }: TinkerService): void {
  routes.get('/healthz', (context) => context.json({ status: 'ok' }));
  post(routes, '/client/config', wire.clientConfigRequest, () => ({
    use_pyqwest_transport: false, // SDKs before 0.38 may lack it, and with it 0.38 aborts at the end of one script in three
    sample_join_sampling_session: true,
  }));
  post(routes, '/client/dynamic_config', wire.clientConfigRequest, () => ({
    refresh_interval_sec: 300,
    sample_cancel_enabled: true,
  }));
  routes.get('/get_server_capabilities', (context) => {
    const { maxPositions } = base.served;
    const about = { max_context_length: maxPositions, trainable: true, sampleable: true };
    return context.json({ supported_models: base.names.map((model_name) => ({ model_name, ...about })) });
  });
  post(routes, '/create_session', wire.createSessionRequest, (request) => {
    return { session_id: sessions.create(request).id, type: 'create_session' };
  });
  post(routes, '/session_heartbeat', wire.sessionHeartbeatRequest, ({ session_id }) => {
    sessions.find(session_id);
    return { type: 'session_heartbeat' };
  });
  post(routes, '/sessions/:id/finish', wire.finishSessionRequest, (_request, context) => {
    sessions.finish(context.req.param('id')!);
    return {};
  });
  routes.get('/sessions', (context) => {
    const { offset, limit } = parse(pageSchema, context.req.query());
    return context.json({ sessions: sessions.all.slice(offset, offset + limit).map(({ id }) => id) });
  });
  routes.get('/sessions/:id', (context) => {
    const { modelIds, samplerIds, displayName, userMetadata } = sessions.find(context.req.param('id'));
    const about = { display_name: displayName ?? null, user_metadata: userMetadata ?? null };
    return context.json({ training_run_ids: modelIds, sampler_ids: samplerIds, ...about });
  });
  routes.post('/telemetry', (context) => context.json({ status: 'accepted' }));
}

function addTraining(routes: Hono, { training, base, futures }: TinkerService): void {
  post(routes, '/create_model', wire.createModelRequest, (request, _context, print) => {
    return { request_id: training.create(request, print) };
  });
  post(routes, '/get_info', wire.modelRequest, ({ model_id }) => {
    const { baseModel, lora } = training.find(model_id).run;
    return {
      type: 'get_info',
      model_data: { arch: 'llama', model_name: baseModel, tokenizer_id: base.folder },
      model_id,
      model_name: baseModel,
      is_lora: true,
      lora_rank: lora.rank,
    };
  });
  routes.post('/forward_backward', async (context) => {
    const body = await readBytes(context);
    const request = decodeForwardBackwardRequest(body);
    const model = training.find(request.modelId);
    return submit(context, model, request.seqId, printOf(body), model.forwardBackward(request));
  });
  step(routes, '/optim_step', wire.optimStepRequest, training, (model, { adam_params, optimizer_params }) => {
    return model.optimStep(adam_params, optimizer_params?.type);
  });
  step(routes, '/save_weights', wire.saveWeightsRequest, training, (model, request) => {
    return model.save(request.path ?? nameOf(request), request.overwrite ?? false, saveOptions(request));
  });
  step(routes, '/save_weights_for_sampler', wire.saveWeightsForSamplerRequest, training, (model, request) => {
    if (request.kind === 'inflight') return refused('kind "inflight" is not supported by this server; use "snapshot"');
    if (request.sampling_session_seq_id != null) return model.snapshot(request.sampling_session_seq_id);
    return model.saveForSampler(request.path ?? nameOf(request), saveOptions(request));
  });
  step(routes, '/save_weights_external', numbered, training, () => {
    return refused('external weights are not supported by this server; use save_weights_for_sampler and the archive');
  });
  routes.post('/load_weights', async (context) => {
    const { request, print } = await readRequest(context, wire.loadWeightsRequest);
    if (request.model_id == null) return context.json({ request_id: training.createFrom(request, print) });
    const model = training.find(request.model_id);
    return submit(context, model, request.seq_id!, print, model.load(request.path, request.optimizer ?? false));
  });
  post(routes, '/unload_model', wire.modelRequest, ({ model_id }) => {
    training.unload(model_id);
    const future = futures.open();
    future.settle(done({ model_id, type: 'unload_model' }));
    return { request_id: future.id, model_id };
  });
}

const nameOf = ({ seq_id }: { readonly seq_id: number }): string => String(seq_id).padStart(6, '0');

function saveOptions(request: z.output<typeof wire.saveWeightsRequest | typeof wire.saveWeightsForSamplerRequest>) {
  return { ttlSeconds: request.ttl_seconds ?? undefined, userMetadata: request.user_metadata ?? undefined };
}

/** A step that is refused as soon as it is looked at. */
function refused(message: string): Step {
  return {
    prepare: () => {
      throw new Refusal(message);
    },
    skip: async () => {},
  };
}

/** A request of a model that goes through its lane. Where only its fields are wrong, its number counts as used, too. */
function step<Schema extends z.ZodType<{ readonly model_id: string; readonly seq_id: number }>>(
  routes: Hono,
  path: string,
  schema: Schema,
  training: TinkerService['training'],
  make: (model: TrainedModel, request: z.output<Schema>) => Step,
): void {
  routes.post(path, async (context) => {
    const { body, print } = await readBody(context);
    const { model_id, seq_id } = parse(numbered, body);
    const model = training.find(model_id);
    const parsed = schema.safeParse(body);
    const work = parsed.success ? make(model, parsed.data) : refused(explain(parsed.error.issues[0]!)); // there is one
    return submit(context, model, seq_id, print, work);
  });
}

const numbered = wire.optimStepRequest.pick({ model_id: true, seq_id: true });

function submit(context: Context, model: TrainedModel, seqId: number, print: string, work: Step): Response {
  return context.json({ request_id: model.lane.submit(seqId, print, work), model_id: model.run.id });
}

function addSampling(routes: Hono, { samplers, sessions, futures, pollMs }: TinkerService): void {
  post(routes, '/create_sampling_session', wire.createSamplingSessionRequest, (request) => {
    const session = sessions.find(request.session_id);
    const [path, baseModel] = [request.model_path ?? undefined, request.base_model ?? undefined];
    const id = samplers.create(session, request.sampling_session_seq_id, path, baseModel);
    return { sampling_session_id: id, type: 'create_sampling_session' };
  });
  post(routes, '/join_sampling_session', wire.joinSamplingSessionRequest, ({ sampling_session_id }) => {
    return { client_counter: samplers.join(sampling_session_id) };
  });
  routes.get('/samplers/:id', (context) => context.json(samplers.describe(context.req.param('id'))));
  routes.post('/asample', async (context) => {
    const { request, print } = await readRequest(context, wire.sampleRequest);
    const { requestId, sequenceIds } = await samplers.sample(request, print);
    const wait = preferredWait(context);
    const outcome = wait > 0 ? await futures.poll(requestId, Math.min(pollMs, wait)) : undefined;
    if (outcome?.kind === 'protobuf') return answer(context, outcome, false);
    return context.json({ request_id: requestId, sample_sequence_ids: sequenceIds, type: 'sample' });
  });
  post(routes, '/cancel_future', wire.cancelFutureRequest, ({ request_id }) => {
    samplers.cancel(request_id);
    return {};
  });
  post(routes, '/retrieve_futures', wire.retrieveFuturesRequest, ({ target, prev_cursor, timeout }) => {
    const longest = Math.min(pollMs, 1000 * (timeout ?? Number.POSITIVE_INFINITY));
    return samplers.completions(target.sampling_session_id, target.cloned_sampler_id ?? 0, prev_cursor ?? 0, longest);
  });
}

function addFutures(routes: Hono, { futures, pollMs }: TinkerService): void {
  routes.post('/retrieve_future', async (context) => {
    const { request } = await readRequest(context, wire.retrieveFutureRequest);
    const outcome = await futures.poll(request.request_id, pollMs);
    if (outcome === undefined) return context.json(waiting(request.request_id), 408);
    return answer(context, outcome, request.allow_metadata_only ?? false);
  });
}

/** How long a client would rather wait for the result than fetch it, milliseconds (RFC 7240). */
function preferredWait({ req }: Context): number {
  const [, seconds] = /^wait=(\d{1,5})$/.exec(req.header('prefer') ?? '') ?? [];
  return 1000 * Number(seconds ?? 0);
}

function waiting(request_id: string): object {
  return { type: 'try_again', request_id, queue_state: 'active', queue_state_reason: null };
}

function answer(context: Context, outcome: Outcome, announce: boolean): Response {
  if (outcome.kind === 'json') return context.json(outcome.body);
  if (outcome.kind === 'failed') return context.json({ error: outcome.error, category: outcome.category });
  const { bytes } = outcome;
  if (announce && bytes.length > LARGE_BYTES) {
    return context.json({ status: 'complete_metadata', response_payload_size: bytes.length });
  }
  return context.body(new Uint8Array(bytes), 200, { 'content-type': 'application/x-protobuf' });
}

const pageSchema = z.object({
  offset: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(0).max(1000).default(100),
});

function addRuns(routes: Hono, { runs, store }: TinkerService): void {
  const path = ({ req }: Context) => readPath(`tinker://${req.param('id')}/${req.param('kind')}/${req.param('name')}`);
  const text = (context: Context) => {
    const { modelId, kind, name } = path(context);
    return `tinker://${modelId}/${kind}/${name}`;
  };
  routes.get('/training_runs', (context) => context.json(runs.list(parse(pageSchema, context.req.query()))));
  routes.get('/training_runs/:id', (context) => context.json(runs.find(context.req.param('id'))));
  routes.get('/training_runs/:id/checkpoints', (context) => context.json(runs.checkpoints(context.req.param('id'))));
  routes.delete('/training_runs/:id/checkpoints/:kind/:name', async (context) => {
    await store.delete(text(context));
    return context.body(null, 204);
  });
  routes.put('/training_runs/:id/checkpoints/:kind/:name/ttl', async (context) => {
    const { request } = await readRequest(context, wire.ttlRequest);
    await store.setTtl(text(context), request.ttl_seconds ?? undefined);
    return context.json({});
  });
  routes.get('/checkpoints', (context) => context.json(runs.allCheckpoints(parse(pageSchema, context.req.query()))));
  post(routes, '/weights_info', wire.weightsInfoRequest, ({ tinker_path }) => runs.weightsInfo(tinker_path));
}

/** A signed address, which a downloader without a key can use, and what is behind it. */
function addArchive(routes: Hono, { store }: TinkerService, address: OwnAddress): void {
  const signer = new Signer();
  routes.get('/training_runs/:id/checkpoints/:kind/:name/archive', (context) => {
    const { id, kind, name } = context.req.param();
    const path = `tinker://${id}/${kind}/${name}`;
    store.find(path);
    const { query, expires } = signer.sign(path);
    const url = `${ownUrl(context, address)}/api/v1/archive?${query}`;
    return context.json({ url, expires: expires.toISOString() });
  });
  routes.get('/archive', async (context) => {
    const query = context.req.query();
    if (!signer.holds(query)) throw new Refusal('this address does not hold, or no longer; ask for another one', 403);
    const archive = await store.read(query.path!, archiveOf);
    return context.body(new Uint8Array(archive), 200, { 'content-type': 'application/x-tar' });
  });
}

/** A request in JSON with its answer in JSON. @param answerer is also given the payload's print. */
function post<Schema extends z.ZodType>(
  routes: Hono,
  path: string,
  schema: Schema,
  answerer: (request: z.output<Schema>, context: Context, print: string) => object | Promise<object>,
): void {
  routes.post(path, async (context) => {
    const { request, print } = await readRequest(context, schema);
    return context.json(await answerer(request, context, print));
  });
}

async function readRequest<Schema extends z.ZodType>(context: Context, schema: Schema) {
  const { body, print } = await readBody(context);
  return { request: parse(schema, body), print };
}

/** Another content type could come from any web page without the browser asking first. */
async function readBody(context: Context): Promise<{ readonly body: unknown; readonly print: string }> {
  if (!/^application\/json\s*(;|$)/i.test(context.req.header('content-type') ?? '')) {
    throw new Refusal('send the header content-type: application/json', 415);
  }
  const text = Buffer.from(await readLimited(context, JSON_BYTES)).toString();
  return { body: parseJson(text), print: printOf(text) };
}

async function readBytes(context: Context): Promise<Uint8Array> {
  const { req } = context;
  if (!/^application\/x-protobuf\s*(;|$)/i.test(req.header('content-type') ?? '')) {
    throw new Refusal('send the header content-type: application/x-protobuf; SDKs before 0.25 do not', 415);
  }
  const encoding = req.header('content-encoding') ?? 'identity';
  if (encoding !== 'identity')
    throw new Refusal(`content-encoding ${encoding} is not supported; send it as it is`, 415);
  return readLimited(context, PROTOBUF_BYTES);
}

const printOf = (payload: string | Uint8Array): string => createHash('sha256').update(payload).digest('base64');

/** @throws Refusal 400 naming the field. */
function parse<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new Refusal(explain(parsed.error.issues[0]!)); // a failed parse has one
}

function explain(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `${issue.keys[0]} is not supported by this server; leave it out`;
  const path = issue.path.map(String).join('.');
  return path === '' ? issue.message : `${path}: ${issue.message}`;
}
