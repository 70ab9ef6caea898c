import { readFileSync } from 'node:fs';
import { olmo3 } from '../../docs/examples/olmo3.ts';
import { addArchitecture } from '../../src/engine/local/model/architectures.ts';
import type { ModelConfig } from '../../src/engine/local/model/model-config.ts';
import { Weights } from '../../src/engine/local/model/weights.ts';

addArchitecture(olmo3);

/** What tests/peers/torch/make-architectures.py wrote. */
type Golden = {
  readonly text: readonly number[];
  readonly models: readonly {
    readonly name: string;
    readonly config: Record<string, unknown>;
    /** `[time, vocabulary]`. */
    readonly logprobs: string;
    /** Each gradient's length, and its product with {@link numbers}. */
    readonly gradients?: Readonly<Record<string, readonly [number, number]>>;
  }[];
};

export const golden: Golden = JSON.parse(readFileSync(new URL('fixtures/architectures.json', import.meta.url), 'utf8'));

/** Numbers between -0.5 and 0.5 that both sides can make. */
export function numbers(length: number, seed: number): Float64Array {
  return Float64Array.from(
    { length },
    (_, at) => ((Math.abs(Math.sin((at + 1) * (12.9898 + seed))) * 43.758) % 1) - 0.5,
  );
}

/** The weights that transformers had. */
export function weightsOf(config: ModelConfig): Weights {
  const weights = new Weights(config);
  const sorted = weights.parameters.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  for (const [seed, { name, data }] of sorted.entries()) {
    const centre = name.endsWith('norm.weight') ? 1 - config.gainOffset : 0;
    data.set(numbers(data.length, seed).map((value) => Math.fround(centre + Math.fround(value))));
  }
  return weights;
}
