import { afterAll, describe, expect, test } from 'vitest';
import type { Weights } from '../../src/engine/local/model/weights.ts';
import { LocalPolicy } from '../../src/engine/local/policy/local-policy.ts';
import { Runtime } from '../../src/engine/local/runtime/runtime.ts';
import { goldenData, goldenNames, goldenWeights, readGolden, relativeError, unpack } from './golden.ts';

const TOLERANCE = 1e-5;

const runtime = Runtime.open(1);
afterAll(() => runtime.close());

function expectTensors(actual: Pick<Weights, 'parameters'>, expected: Readonly<Record<string, string>>): void {
  const errors = actual.parameters.map(
    ({ name, data }) => [name, relativeError(data, unpack(expected[name]!))] as const,
  );
  expect(Object.keys(expected).sort()).toEqual(actual.parameters.map(({ name }) => name).sort());
  expect(errors.filter(([, error]) => error > TOLERANCE)).toEqual([]);
}

describe.each(goldenNames)('%s agrees with PyTorch', (name) => {
  const golden = readGolden(name);
  const open = () => new LocalPolicy(runtime, goldenWeights(golden));

  test('logits', async () => {
    const rows = golden.allLogprobs.map(unpack);
    const { vocabSize } = golden.config;
    for (let token = 0; token < vocabSize; token++) {
      const data = golden.data.map(({ input }) => ({ input, targets: input.map(() => token) }));
      const { logprobs } = await open().forward(data, { kind: 'cross_entropy' });
      logprobs.forEach((found, nth) => {
        const expected = rows[nth]!.filter((_, at) => at % vocabSize === token);
        expect(relativeError(found, expected)).toBeLessThan(TOLERANCE);
      });
    }
  });

  test.each(golden.losses)('$loss.kind, soft: $soft', async ({ loss, soft, value, logprobs, gradients }) => {
    const policy = open();
    const found = await policy.forwardBackward(goldenData(golden, loss, soft), loss);
    expect(Math.abs(found.loss - value)).toBeLessThan(TOLERANCE * Math.max(1, Math.abs(value)));
    logprobs.forEach((row, nth) => {
      expect(relativeError(found.logprobs[nth]!, unpack(row))).toBeLessThan(TOLERANCE);
    });
    expectTensors(await policy.gradient(), gradients);
  });

  test.each(golden.adam)('three AdamW steps, clipped at $adam.clipNorm', async ({ adam, norms, weights }) => {
    const policy = open();
    for (const norm of norms) {
      await policy.forwardBackward(goldenData(golden, { kind: 'cross_entropy' }), { kind: 'cross_entropy' });
      const { gradientNorm } = await policy.optimStep(adam);
      expect(Math.abs(gradientNorm / norm - 1)).toBeLessThan(TOLERANCE);
    }
    expectTensors(await policy.weights(), weights);
  });
});
