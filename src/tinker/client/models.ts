import { createModelResult, futureAnswer, loadWeightsResult } from '../wire/answers.ts';
import type { TinkerConnection } from './connection.ts';
import { Refused } from './http.ts';
import { RequestSequence } from './request-sequence.ts';
import type { NumberRules } from './rules.ts';
import { load } from './verbs.ts';

/** What is trained: a low-rank adapter on a model that the service has. */
export type Adapter = {
  /** As the service calls it. */
  readonly baseModel: string;
  readonly rank: number;
  readonly seed: number;
  readonly trainAttn: boolean;
  readonly trainMlp: boolean;
  readonly trainUnembed: boolean;
};

/** A new adapter, which leaves its base model as it is. @throws EndpointError where the service does not have it. */
export async function createModel(
  service: TinkerConnection,
  adapter: Adapter,
  rules: NumberRules,
): Promise<RequestSequence> {
  const { http, futures, session } = service;
  const { baseModel, rank, seed, trainAttn, trainMlp, trainUnembed } = adapter;
  const what = `create_model on ${baseModel}`;
  const body = {
    session_id: session.id,
    model_seq_id: session.nextModel(),
    base_model: baseModel,
    lora_config: { rank, seed, train_unembed: trainUnembed, train_mlp: trainMlp, train_attn: trainAttn },
    type: 'create_model',
  }; // no optimizer_config: some servers refuse the field, and Adam is what goes without saying
  const { request_id } = await http.ask({ what, path: 'create_model', body }, futureAnswer.parse);
  const result = await futures.result({ what, requestId: request_id, type: 'CreateModel' });
  const { model_id } = http.read({ what }, result, createModelResult.parse);
  return new RequestSequence(service, model_id, rules);
}

/** An adapter as it was saved, optimiser state included; `adapter` is what it was created as. */
export async function createFromState(
  service: TinkerConnection,
  path: string,
  adapter: Adapter,
  rules: NumberRules,
): Promise<RequestSequence> {
  try {
    return await loadAsNew(service, path, rules);
  } catch (error) {
    if (!(error instanceof Refused) || (error.status !== 400 && error.status !== 422)) throw error;
    return createAndLoad(service, path, adapter, rules); // servers for SDKs before 0.38
  }
}

async function loadAsNew(
  { http, futures, session }: TinkerConnection,
  path: string,
  rules: NumberRules,
): Promise<RequestSequence> {
  const number = session.nextModel();
  const what = `load_weights of ${path}`;
  const body = { session_id: session.id, model_seq_id: number, path, optimizer: true, type: 'load_weights' };
  const { request_id } = await http.ask({ what, path: 'load_weights', body }, futureAnswer.parse);
  const result = await futures.result({ what, requestId: request_id, type: 'LoadWeights' });
  const { model_id } = http.read({ what }, result, loadWeightsResult.parse);
  return new RequestSequence({ http, futures }, model_id ?? `${session.id}:train:${number}`, rules);
}

async function createAndLoad(
  service: TinkerConnection,
  path: string,
  adapter: Adapter,
  rules: NumberRules,
): Promise<RequestSequence> {
  const lane = await createModel(service, adapter, rules);
  await lane.run(load(path));
  return lane;
}

/** Makes room on the server; one that keeps its models until a session ends is not asked twice. */
export async function unloadModel({ http, futures }: TinkerConnection, { modelId }: RequestSequence): Promise<void> {
  const what = `unload_model of ${modelId}`;
  const body = { model_id: modelId, type: 'unload_model' };
  try {
    const { request_id } = await http.ask({ what, path: 'unload_model', body }, futureAnswer.parse);
    await futures.result({ what, requestId: request_id, type: 'UnloadModel' });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
}
