import type { Datum } from '../../../src/engine/engine.ts';
import { initialWeights } from '../../../src/engine/local/model/weights.ts';
import { LocalPolicy } from '../../../src/engine/local/policy/local-policy.ts';
import { Runtime } from '../../../src/engine/local/runtime/runtime.ts';
import { tinyConfig } from '../tiny-model.ts';

/** Trains, samples and scores a little, and says what came out: the same on whichever executor there is. */
const runtime = Runtime.open(2);
const policy = new LocalPolicy(runtime, initialWeights(tinyConfig, 1));
const data: Datum[] = [1, 2, 3].map((first) => ({ input: [first, 4, 5, 6], targets: [4, 5, 6, first] }));
const losses: number[] = [];
for (let step = 0; step < 5; step++) {
  losses.push((await policy.forwardBackward(data, { kind: 'cross_entropy' })).loss);
  await policy.optimStep({ learningRate: 0.05, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0 });
}
const sampler = await policy.sampler();
const how = { maxTokens: 4, temperature: 0, seed: 1, stop: [], samples: 1 };
const sampled = (await sampler.sample([[1], [2]], how)).map(([sequence]) => sequence!.tokens);
const [logprobs] = await sampler.logprobs([[1, 4, 5, 6]]);
process.stdout.write(JSON.stringify({ losses, sampled, logprobs: [...logprobs!].slice(1) }));
await policy.close();
