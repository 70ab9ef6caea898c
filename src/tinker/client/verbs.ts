import type { AdamParams, Datum, Loss } from '../../engine/engine.ts';
import { encodeForwardBackwardRequest } from '../wire/forward-backward.ts';
import type { Verb } from './request-sequence.ts';
import { lossConfig, wireDatum } from './training-data.ts';

/** @file What is asked of a model in training, in the words of the protocol. */

export function pass(batch: readonly Datum[], loss: Loss, forwardOnly: boolean): Verb {
  return {
    name: 'forward_backward',
    type: forwardOnly ? 'Forward' : 'ForwardBackward',
    body: (modelId, seqId) =>
      encodeForwardBackwardRequest({
        modelId,
        seqId,
        data: batch.map((datum) => wireDatum(datum, loss)),
        lossFn: loss.kind,
        lossConfig: lossConfig(loss),
        forwardOnly,
      }),
  };
}

/** A pass whose loss goes by any name, by its number. */
export function passOf(modelId: string, batch: readonly Datum[], lossFn: string): (seqId: number) => Uint8Array {
  const data = batch.map((datum) => wireDatum(datum, { kind: 'cross_entropy' }));
  return (seqId) => encodeForwardBackwardRequest({ modelId, seqId, data, lossFn, lossConfig: {}, forwardOnly: true });
}

export function step(adam: AdamParams): Verb {
  const adam_params = {
    learning_rate: adam.learningRate,
    beta1: adam.beta1,
    beta2: adam.beta2,
    eps: adam.epsilon,
    weight_decay: adam.weightDecay,
    grad_clip_norm: adam.clipNorm ?? 0,
  };
  return verb('optim_step', 'OptimStep', { adam_params });
}

/** Weights and optimiser state, under a name. */
export const save = (path: string): Verb => verb('save_weights', 'SaveWeights', { path });

/** Weights to sample from, under a name or as the sampling session of this number. */
export function saveForSampler(as: { readonly path: string } | { readonly sampling_session_seq_id: number }): Verb {
  return verb('save_weights_for_sampler', 'SaveWeightsForSampler', as);
}

export const load = (path: string): Verb => verb('load_weights', 'LoadWeights', { path, optimizer: true });

function verb(name: string, type: string, fields: object): Verb {
  return { name, type, body: (model_id, seq_id) => ({ model_id, seq_id, type: name, ...fields }) };
}
