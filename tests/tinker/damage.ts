import type { Stream } from '../../src/random.ts';
import { encodeForwardBackwardRequest } from '../../src/tinker/wire/forward-backward.ts';
import { mutateBytes, mutateJson } from '../fuzz/mutate.ts';
import { type PlainServer, TEXT } from './plain-server.ts';

/** @file Requests to a Tinker server with damage of every kind: to JSON, protobuf, paths, types and sizes. */

type Sent = {
  readonly path: string;
  readonly method: string;
  readonly type: string;
  readonly body: Uint8Array | undefined;
};

/** What damaged requests are made of: right ones, of things that are there. */
export type Ground = {
  readonly session: string;
  readonly model: string;
  readonly sampler: string;
  readonly checkpoint: string;
};

/** One session with a model, a sampler and a checkpoint. */
export async function layGround(server: PlainServer): Promise<Ground> {
  const session = await server.session();
  const model = await server.model(session);
  const made = { session_id: session, sampling_session_seq_id: 0, base_model: 'tiny' };
  const sampler = String((await server.ask('create_sampling_session', made)).body.sampling_session_id);
  const saved = await server.result(server.ask('save_weights', { model_id: model, seq_id: 1, path: 'a' }));
  return { session, model, sampler, checkpoint: String(saved.path) };
}

const bodies = ({ session, model, sampler, checkpoint }: Ground, seq_id: number): Readonly<Record<string, object>> => ({
  'client/config': { sdk_version: '0.38.0' },
  create_session: { tags: ['a'], user_metadata: { a: 'b' }, sdk_version: '0.38.0' },
  session_heartbeat: { session_id: session },
  create_model: { session_id: session, model_seq_id: seq_id, base_model: 'tiny', lora_config: { rank: 2, seed: 1, train_mlp: true } },
  get_info: { model_id: model, type: 'get_info' },
  optim_step: { model_id: model, seq_id, adam_params: { learning_rate: 1e-4, beta1: 0.9, beta2: 0.95, eps: 1e-8, weight_decay: 0, grad_clip_norm: 1 } },
  save_weights: { model_id: model, seq_id, path: 'a', overwrite: true, ttl_seconds: 3600, user_metadata: { a: 'b' } },
  save_weights_for_sampler: { model_id: model, seq_id, sampling_session_seq_id: seq_id, kind: 'snapshot' },
  load_weights: { model_id: model, seq_id, path: checkpoint, optimizer: true },
  create_sampling_session: { session_id: session, sampling_session_seq_id: seq_id, model_path: checkpoint },
  join_sampling_session: { sampling_session_id: sampler },
  asample: { sampling_session_id: sampler, seq_id, num_samples: 2, prompt: { chunks: [{ type: 'encoded_text', tokens: [5, 6, 7] }] }, sampling_params: { max_tokens: 4, temperature: 0.7, top_p: 0.9, top_k: 5, seed: 3, stop: [9] }, prompt_logprobs: true, topk_prompt_logprobs: 2, topk_sample_logprobs: 2 },
  retrieve_future: { request_id: 'b9f2', allow_metadata_only: true },
  cancel_future: { request_id: 'b9f2' },
  retrieve_futures: { target: { type: 'sampling_session', sampling_session_id: sampler, cloned_sampler_id: 0 }, prev_cursor: 0, timeout: 0, retrieved_request_ids: ['a'] },
  weights_info: { tinker_path: checkpoint },
  unload_model: { model_id: `${model}x` },
}); // biome-ignore format: a request a line

const PATHS = (model: string): readonly (readonly [string, string])[] => [
  ['GET', `training_runs/${model}`],
  ['GET', `training_runs/${model}/checkpoints`],
  ['GET', `training_runs/${model}/checkpoints/weights/a/archive`],
  ['DELETE', `training_runs/${model}/checkpoints/weights/..%2f..%2fa`],
  ['PUT', `training_runs/${model}/checkpoints/sampler_weights/a/ttl`],
  ['GET', 'training_runs?offset=1&limit=2'],
  ['GET', 'archive?path=tinker://a/weights/b&until=9e99&signature=00'],
  ['GET', 'samplers/x'],
  ['GET', 'sessions/x'],
];

const LOSSES = ['cross_entropy', 'ppo', 'importance_sampling', 'dro', 'gspo', ''];

function draw(draws: Stream, ground: Ground): Sent {
  const seqId = 1 + draws.integer(12);
  const json = { type: 'application/json', method: 'POST' };
  if (draws.chance(0.25)) {
    const request = { modelId: ground.model, seqId, data: [TEXT], lossFn: draws.pick(LOSSES), lossConfig: {} };
    const body = mutateBytes(draws, encodeForwardBackwardRequest({ ...request, forwardOnly: draws.chance(0.5) }));
    return { path: 'forward_backward', method: 'POST', type: 'application/x-protobuf', body };
  }
  if (draws.chance(0.15)) {
    const [method, path] = draws.pick(PATHS(ground.model));
    const damaged = Buffer.from(mutateBytes(draws, Buffer.from(path))).toString('latin1');
    const body = method === 'PUT' ? Buffer.from('{"ttl_seconds":1}') : undefined;
    return { ...json, method, path: encodeURI(damaged), body };
  }
  const [path, body] = draws.pick(Object.entries(bodies(ground, seqId)));
  const damaged = draws.chance(0.5) ? mutateBytes(draws, Buffer.from(JSON.stringify(body))) : damagedJson(draws, body);
  const type = draws.chance(0.02) ? draws.pick(['text/plain', '', 'application/x-protobuf']) : json.type;
  return { ...json, type, path, body: draws.chance(0.01) ? Buffer.from('x'.repeat(2 ** 20)) : damaged };
}

/** Damage may tie a value into itself, and then it cannot be sent. */
function damagedJson(draws: Stream, body: object): Uint8Array {
  try {
    return Buffer.from(JSON.stringify(mutateJson(draws, body)) ?? '');
  } catch {
    return new Uint8Array();
  }
}

/** Answers that may be: there is a reason for each. */
const EXPECTED = [200, 204, 400, 401, 403, 404, 405, 408, 410, 413, 415, 429];

/** Sends one damaged request. @returns its status. @throws Error that shows the request, on an answer that may not be. */
export async function askDamaged(server: PlainServer, draws: Stream, ground: Ground): Promise<number> {
  const { path, method, type, body } = draw(draws, ground);
  const headers = type === '' ? {} : { 'content-type': type };
  const init = { method, headers, ...(body && { body: Buffer.from(body) }) };
  const answer = await server.app.request(`/api/v1/${path}`, init);
  const text = await answer.text();
  const said = answer.status < 400 || answer.status === 408 || /"detail":".+"/.test(text);
  if (EXPECTED.includes(answer.status) && said) return answer.status;
  throw new Error(`${method} ${path} ${Buffer.from(body ?? '').toString('base64')}: ${answer.status} ${text}`);
}
