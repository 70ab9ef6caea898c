import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Datum, Loss } from '../../src/engine/engine.ts';
import { readModelFolder } from '../../src/engine/local/files/model-folder.ts';
import { LocalPolicy } from '../../src/engine/local/policy/local-policy.ts';
import { Runtime } from '../../src/engine/local/runtime/runtime.ts';
import { lossValue } from '../../src/tinker/client/loss-value.ts';
import { asMeans } from '../../src/tinker/client/mean-losses.ts';
import { LOSSES, rewarded, weighted } from '../peers/services/training.ts';

let policy: LocalPolicy;
beforeAll(async () => {
  policy = new LocalPolicy(Runtime.open(), await readModelFolder('models/organism'));
});
afterAll(() => policy.close());

const CROSS_ENTROPY: Loss = { kind: 'cross_entropy' };

async function gradient(batch: readonly Datum[], loss: Loss): Promise<Float32Array> {
  await policy.forwardBackward(batch, loss);
  const { flat } = await policy.gradient();
  await policy.optimStep({ learningRate: 0, beta1: 0, beta2: 0, epsilon: 1, weightDecay: 0 });
  return flat;
}

/** What a server of means makes of a batch: each sequence divided by its length, and all by their number. */
function meanGradient(batch: readonly Datum[], loss: Loss): Promise<Float32Array> {
  const divided = batch.map((datum) => ({
    ...datum,
    advantages: datum.advantages!.map((value) => value / datum.input.length / batch.length),
  }));
  return gradient(divided, loss);
}

function expectNear(one: Float32Array, other: Float32Array): void {
  const size = other.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const difference = one.reduce((largest, value, at) => Math.max(largest, Math.abs(value - other[at]!)), 0);
  expect(size).toBeGreaterThan(0.01);
  expect(difference / size).toBeLessThan(1e-4);
}

describe('a server that takes means', () => {
  it('comes to the gradient of the sum: cross entropy with weights of any sign, and policy losses', async () => {
    const signed = weighted(1);
    const asked = asMeans(signed, CROSS_ENTROPY, signed.length);
    expectNear(await meanGradient(asked.batch, asked.loss), await gradient(signed, CROSS_ENTROPY));
    const loss: Loss = { kind: 'importance_sampling' };
    const rolled = asMeans(rewarded(2), loss, 3);
    expectNear(await meanGradient(rolled.batch, rolled.loss), await gradient(rewarded(2), loss));
  });
});

describe('the loss worked out from logprobs', () => {
  it('is what the engine says it is', async () => {
    for (const loss of LOSSES) {
      const output = await policy.forward(rewarded(3), loss);
      expect(lossValue(rewarded(3), loss, output.logprobs)).toBeCloseTo(output.loss, 3);
    }
    const output = await policy.forward(weighted(3), CROSS_ENTROPY);
    expect(lossValue(weighted(3), CROSS_ENTROPY, output.logprobs)).toBeCloseTo(output.loss, 3);
  });
});
