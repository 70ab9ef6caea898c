import { EngineError } from '../../errors.ts';
import type { Ability } from '../abilities.ts';
import type { TokenIds } from '../engine.ts';
import type { DataLimits } from '../local/check-data.ts';
import { type Finding, finding } from './finding.ts';
import { ModelLane } from './model-lane.ts';
import { type Adapter, createModel, unloadModel } from './models.ts';
import { PROTOCOL, type Rules } from './rules.ts';
import type { SampleGate } from './sample-gate.ts';
import { openSampler, snapshot } from './samplers.ts';
import { measureSampling } from './sampling-conformance.ts';
import type { TinkerService } from './service.ts';
import { allowed, measureTraining } from './training-conformance.ts';
import * as verbs from './verbs.ts';
import { futureAnswer } from './wire/answers.ts';

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
  service: TinkerService,
  gate: SampleGate,
  adapter: Adapter,
  base: DataLimits & { readonly eos: TokenIds },
): Promise<Conformance> {
  const created = await createModel(service, adapter, PROTOCOL);
  const numbers = await measureNumbers(service, created.modelId);
  const lane = new ModelLane(service, created.modelId, numbers, numbers.next);
  const nameless = await allowed(snapshot(service, gate, lane, PROTOCOL));
  const training = await measureTraining(service.http, lane, base.vocabSize);
  await unloadModel(service, lane);
  if (training.reduction === undefined) {
    const { found } = training.findings[0]!;
    throw new EngineError(`${service.http.address}: its losses are no sums, and cannot be made so (${found})`);
  }
  const sampler = await allowed(openSampler(service, gate, { base_model: adapter.baseModel }, PROTOCOL));
  const sampling = sampler && (await allowed(measureSampling(sampler, base.vocabSize, base.eos)));
  const named = nameless ? 'without a name' : 'by name only';
  return {
    rules: {
      refusedCounts: numbers.refusedCounts,
      knowsRepeats: numbers.knowsRepeats,
      reduction: training.reduction,
      temperedLogprobs: sampling?.temperedLogprobs ?? true,
      namelessSamplers: nameless !== undefined,
      topLogprobs: sampling?.topLogprobs ?? false,
    },
    can: new Set<Ability>([
      ...(sampling ? (['sampling'] as const) : []),
      ...(sampling?.topLogprobs ? (['top_logprobs'] as const) : []),
      ...(training.signedWeights ? (['signed_weights'] as const) : []),
      ...(training.softTargets ? (['soft_targets'] as const) : []),
      ...(training.losses.has('importance_sampling') ? (['importance_sampling'] as const) : []),
    ]),
    findings: [
      ...numbers.findings,
      ...training.findings,
      finding('weights to sample from', nameless !== undefined, named),
      ...(sampling?.findings ?? [finding('sampling', false, 'the base model gives no samples')]),
    ],
  };
}

type Numbers = Pick<Rules, 'refusedCounts' | 'knowsRepeats'> & {
  readonly findings: readonly Finding[];
  readonly next: number;
};

/** How requests are numbered: what a repeat does, and whether a refused one uses its number. */
async function measureNumbers({ http, futures }: TinkerService, modelId: string): Promise<Numbers> {
  const batch = [{ input: [1, 2], targets: [2, 1] }];
  const right = verbs.pass(batch, { kind: 'cross_entropy' }, true);
  const wrong = verbs.passOf(modelId, batch, 'no_such_loss');
  const handIn = async (body: object | Uint8Array, number: number) => {
    const call = { what: `forward_backward ${number} of model ${modelId}`, path: 'forward_backward', body };
    return (await http.ask(call, futureAnswer.parse)).request_id;
  };
  const result = (requestId: string) =>
    futures.result({ what: `forward_backward of model ${modelId}`, requestId, type: 'Forward' });

  const first = await handIn(right.body(modelId, 1), 1);
  await result(first);
  const again = await allowed(handIn(right.body(modelId, 1), 1));
  const knowsRepeats = again === first && (await allowed(result(first))) !== undefined;
  const refused = (await allowed(handIn(wrong(2), 2))) === undefined;
  const reused = refused ? await allowed(handIn(right.body(modelId, 2), 2)) : undefined;
  const refusedCounts = reused === undefined || (await allowed(result(reused))) === undefined;
  return {
    refusedCounts,
    knowsRepeats,
    findings: [
      finding('repeats', knowsRepeats, knowsRepeats ? 'a request that comes twice is carried out once' : REPEATS),
      finding('refused numbers', refusedCounts, refusedCounts ? 'count' : 'do not count: a number is used again'),
    ],
    next: 3,
  };
}

const REPEATS = 'a request that comes twice is not known again: none is repeated whose answer was lost';
