import type { Ability } from '../../engine/abilities.ts';
import type { DataLimits } from '../../engine/check-data.ts';
import type { TokenIds } from '../../engine/engine.ts';
import { EngineError } from '../../errors.ts';
import type { TinkerConnection } from './connection.ts';
import { type Finding, finding } from './finding.ts';
import { type Adapter, createModel, unloadModel } from './models.ts';
import { measureNumbers } from './number-conformance.ts';
import { openSampler, snapshot } from './open-sampler.ts';
import { RequestSequence } from './request-sequence.ts';
import { PROTOCOL, type Rules } from './rules.ts';
import type { SampleGate } from './sample-gate.ts';
import { measureSampling, type SamplingFindings } from './sampling-conformance.ts';
import { allowed, isAnswer, measureTraining } from './training-conformance.ts';

/** What is known of a server: how to deal with it, what it can, and what a reader of the record should know. */
export type Conformance = {
  readonly rules: Rules;
  readonly can: ReadonlySet<Ability>;
  readonly findings: readonly Finding[];
};

/**
 * Finds out how a server takes what the protocol says, by measurement: on a model of its own that is given back, and on
 * the base model. @throws EngineError where its losses cannot be brought to what they should be.
 */
export async function examine(
  service: TinkerConnection,
  gate: SampleGate,
  adapter: Adapter,
  base: DataLimits & { readonly eos: TokenIds },
): Promise<Conformance> {
  const created = await createModel(service, adapter, PROTOCOL);
  const numbers = await measureNumbers(service, created.modelId);
  const lane = new RequestSequence(service, created.modelId, numbers.rules, numbers.next);
  const nameless = await allowed(snapshot(service, gate, lane, PROTOCOL));
  const training = await measureTraining(service.http, lane, base.vocabSize);
  await unloadModel(service, lane);
  if (training.reduction === undefined) {
    const { found } = training.findings[0]!;
    throw new EngineError(`${service.http.address}: its losses are no sums, and cannot be made so (${found})`);
  }
  const sampling = await samplingOf(service, gate, adapter.baseModel, base);
  const named = nameless ? 'without a name' : 'by name only';
  return {
    rules: {
      ...numbers.rules,
      reduction: training.reduction,
      temperedLogprobs: sampling.temperedLogprobs,
      namelessSamplers: nameless !== undefined,
      topLogprobs: sampling.topLogprobs,
    },
    can: new Set<Ability>([
      ...(sampling.can ? (['sampling'] as const) : []),
      ...(sampling.topLogprobs ? (['top_logprobs'] as const) : []),
      ...(training.signedWeights ? (['signed_weights'] as const) : []),
      ...(training.softTargets ? (['soft_targets'] as const) : []),
      ...(training.losses.has('importance_sampling') ? (['importance_sampling'] as const) : []),
    ]),
    findings: [
      ...numbers.findings,
      ...training.findings,
      finding('weights to sample from', nameless !== undefined, named),
      ...sampling.findings,
    ],
  };
}

/** Some services have models that are there to be trained alone. */
async function samplingOf(
  service: TinkerConnection,
  gate: SampleGate,
  baseModel: string,
  { vocabSize, eos }: DataLimits & { readonly eos: TokenIds },
): Promise<SamplingFindings & { readonly can: boolean }> {
  try {
    const sampler = await openSampler(service, gate, { base_model: baseModel }, PROTOCOL);
    return { ...(await measureSampling(sampler, vocabSize, eos)), can: true };
  } catch (error) {
    if (!isAnswer(error)) throw error;
    const findings = [finding('sampling', false, `the base model gives no samples: ${error.message}`)];
    return { findings, temperedLogprobs: true, topLogprobs: false, can: false };
  }
}
