import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { AdamParams, Loss } from '../../src/engine/engine.ts';
import { writePeftFolder } from '../../src/engine/local/files/peft-folder.ts';
import { type Adapter, factorShapes, initialAdapter } from '../../src/engine/local/model/adapter.ts';
import { windows } from '../../src/engine/local/model/weights.ts';
import { LoraPolicy } from '../../src/engine/local/policy/lora-policy.ts';
import { Runtime } from '../../src/engine/local/runtime/runtime.ts';
import { goldenData, goldenWeights, readGolden, relativeError, unpack } from './golden.ts';

const TOLERANCE = 1e-5;

/** What tests/peers/torch/make-goldens.py wrote of PEFT: tensors under PEFT's names, on the model of another golden. */
type LoraGolden = {
  readonly rank: number;
  readonly adapter: Packed;
  readonly losses: readonly {
    readonly loss: Loss;
    readonly value: number;
    readonly logprobs: readonly string[];
    readonly gradients: Packed;
  }[];
  readonly adam: readonly { readonly adam: AdamParams; readonly norms: readonly number[]; readonly weights: Packed }[];
};

type Packed = Readonly<Record<string, string>>;

const crossEntropy: Loss = { kind: 'cross_entropy' };

const runtime = Runtime.open(1);
const folder = mkdtempSync(join(tmpdir(), 'unrut-lora-golden-'));
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true });
});

const factorsOf = ({ config, shape }: Adapter, flat: Float32Array) => windows(flat, factorShapes(config, shape));

function expectFactors(adapter: Adapter, flat: Float32Array, expected: Packed): void {
  const found = factorsOf(adapter, flat);
  expect(found.map(({ name }) => `base_model.model.${name}`).sort()).toEqual(Object.keys(expected).sort());
  const errors = found.map(
    ({ name, data }) => [name, relativeError(data, unpack(expected[`base_model.model.${name}`]!))] as const,
  );
  expect(errors.filter(([, error]) => error > TOLERANCE)).toEqual([]);
}

describe.each(['llama', 'llama-gqa-untied'])('LoRA on %s agrees with PEFT', (name) => {
  const model = readGolden(name);
  const golden: LoraGolden = JSON.parse(
    readFileSync(new URL(`fixtures/golden-lora-${name}.json`, import.meta.url), 'utf8'),
  );

  /** The policy with the adapter that PEFT had. */
  async function open(): Promise<LoraPolicy> {
    const options = { rank: golden.rank, seed: 1, trainAttn: true, trainMlp: true, trainUnembed: true };
    const policy = new LoraPolicy(runtime, goldenWeights(model), options);
    const { config, shape } = await policy.adapter();
    const adapter = initialAdapter(config, shape, 1);
    for (const each of factorsOf(adapter, adapter.flat)) {
      each.data.set(unpack(golden.adapter[`base_model.model.${each.name}`]!));
    }
    await writePeftFolder(join(folder, name), adapter);
    await policy.loadAdapter(join(folder, name));
    return policy;
  }

  test.each(golden.losses)('loss and gradients: $loss.kind', async ({ loss, value, logprobs, gradients }) => {
    const policy = await open();
    const found = await policy.forwardBackward(goldenData(model, loss), loss);
    expect(Math.abs(found.loss - value)).toBeLessThan(TOLERANCE * Math.max(1, Math.abs(value)));
    logprobs.forEach((row, nth) => {
      expect(relativeError(found.logprobs[nth]!, unpack(row))).toBeLessThan(TOLERANCE);
    });
    const adapter = await policy.adapter();
    expectFactors(adapter, (await policy.gradient()).flat, gradients);
  });

  test.each(golden.adam)('three AdamW steps, clipped at $adam.clipNorm', async ({ adam, norms, weights }) => {
    const policy = await open();
    for (const norm of norms) {
      await policy.forwardBackward(goldenData(model, crossEntropy), crossEntropy);
      const { gradientNorm } = await policy.optimStep(adam);
      expect(Math.abs(gradientNorm / norm - 1)).toBeLessThan(TOLERANCE);
    }
    const adapter = await policy.adapter();
    expectFactors(adapter, adapter.flat, weights);
  });
});
