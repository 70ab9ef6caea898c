import { readFileSync } from 'node:fs';
import type { AdamParams, Datum, Loss } from '../../src/engine/engine.ts';
import { parseConfig } from '../../src/engine/local/model/architectures.ts';
import type { ModelConfig } from '../../src/engine/local/model/model-config.ts';
import { Weights } from '../../src/engine/local/model/weights.ts';

/** @file What tests/peers/torch/make-goldens.py wrote; arrays are little-endian float32 in base64. */

type Packed = string;
type PackedTensors = Readonly<Record<string, Packed>>;

type Golden = {
  readonly config: ModelConfig;
  readonly weights: PackedTensors;
  readonly data: readonly {
    readonly input: number[];
    readonly targets: number[];
    readonly weights: Packed;
    readonly logprobs: Packed;
    readonly advantages: Packed;
    readonly soft: { readonly tokens: number[][]; readonly probabilities: Packed };
  }[];
  /** `[sequence]` of `[time, vocabulary]`. */
  readonly allLogprobs: readonly Packed[];
  readonly losses: readonly {
    readonly loss: Loss;
    readonly soft: boolean;
    readonly value: number;
    readonly logprobs: readonly Packed[];
    readonly gradients: PackedTensors;
  }[];
  readonly adam: readonly {
    readonly adam: AdamParams;
    readonly norms: readonly number[];
    readonly weights: PackedTensors;
  }[];
};

export const goldenNames = ['llama', 'llama-gqa-untied', 'qwen2', 'qwen3'];

export function readGolden(name: string): Golden {
  const path = new URL(`fixtures/golden-${name}.json`, import.meta.url);
  const golden = JSON.parse(readFileSync(path, 'utf8'));
  return { ...golden, config: parseConfig(path.pathname, golden.config) };
}

export function unpack(packed: Packed): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(packed, 'base64')).buffer);
}

export function goldenWeights({ config, weights }: Golden): Weights {
  const loaded = new Weights(config);
  for (const { name, data } of loaded.parameters) data.set(unpack(weights[name]!));
  return loaded;
}

/** The data with the streams that a loss reads. */
export function goldenData(golden: Golden, { kind }: Loss, soft = false): Datum[] {
  return golden.data.map((datum) => ({
    input: datum.input,
    targets: soft ? softTargets(datum.soft) : datum.targets,
    ...(kind === 'cross_entropy'
      ? { weights: [...unpack(datum.weights)] }
      : { advantages: [...unpack(datum.advantages)], logprobs: [...unpack(datum.logprobs)] }),
  }));
}

function softTargets({ tokens, probabilities }: Golden['data'][number]['soft']): Datum['targets'] {
  return { tokens: Int32Array.from(tokens.flat()), probabilities: unpack(probabilities), k: tokens[0]!.length };
}

/** Largest difference as a share of the largest expected value: an element next to zero is judged with its tensor. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) throw new RangeError(`${actual.length} numbers, not ${expected.length}`);
  let [worst, largest] = [0, 0];
  for (let at = 0; at < expected.length; at++) {
    worst = Math.max(worst, Math.abs(actual[at]! - expected[at]!));
    largest = Math.max(largest, Math.abs(expected[at]!));
  }
  return largest === 0 ? worst : worst / largest;
}
