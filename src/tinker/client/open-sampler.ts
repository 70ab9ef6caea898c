import { randomUUID } from 'node:crypto';
import { createSamplingSessionAnswer, saveWeightsForSamplerResult } from '../wire/answers.ts';
import type { TinkerConnection } from './connection.ts';
import type { RequestSequence } from './request-sequence.ts';
import type { Rules } from './rules.ts';
import type { SampleGate } from './sample-gate.ts';
import { TinkerSampler } from './tinker-sampler.ts';
import { saveForSampler } from './verbs.ts';

type SamplerRules = Pick<Rules, 'temperedLogprobs' | 'namelessSamplers' | 'topLogprobs'>;

/** Samples from a base model, or from weights that were saved for it. */
export async function openSampler(
  service: TinkerConnection,
  gate: SampleGate,
  of: { readonly base_model: string } | { readonly model_path: string },
  rules: SamplerRules,
): Promise<TinkerSampler> {
  const { http, session } = service;
  const name = 'base_model' in of ? of.base_model : of.model_path;
  const body = {
    session_id: session.id,
    sampling_session_seq_id: session.nextSampler(),
    ...of,
    type: 'create_sampling_session',
  };
  const call = { what: `create_sampling_session of ${name}`, path: 'create_sampling_session', body };
  const { sampling_session_id } = await http.ask(call, createSamplingSessionAnswer.parse);
  return new TinkerSampler(service, gate, { sessionId: sampling_session_id, of: name }, rules);
}

/** The weights of a model as they are when its turn comes; training on goes unseen. */
export async function snapshot(
  service: TinkerConnection,
  gate: SampleGate,
  lane: RequestSequence,
  rules: SamplerRules,
): Promise<TinkerSampler> {
  const { http, session } = service;
  const as = rules.namelessSamplers
    ? { sampling_session_seq_id: session.nextSampler() }
    : { path: `unrut-${randomUUID()}` };
  const heard = await lane.run(saveForSampler(as));
  const what = `save_weights_for_sampler of model ${lane.modelId}`;
  const { path, sampling_session_id } = http.read({ what }, heard, saveWeightsForSamplerResult.parse);
  if (path) return openSampler(service, gate, { model_path: path }, rules);
  if (!sampling_session_id) throw http.error({ what }, 'answers neither path nor sampling_session_id');
  return new TinkerSampler(service, gate, { sessionId: sampling_session_id, of: lane.modelId }, rules);
}
