import { afterAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/engine/local/model/architectures.ts';
import { hasWindow } from '../../src/engine/local/model/window.ts';
import { LocalPolicy } from '../../src/engine/local/policy/local-policy.ts';
import { Runtime } from '../../src/engine/local/runtime/runtime.ts';
import { golden, numbers, weightsOf } from './architecture-golden.ts';
import { unpack } from './golden.ts';
import { allLogprobs } from './sampling-reference.ts';

const BAR = 1e-4;

const CROSS_ENTROPY = { kind: 'cross_entropy' } as const;

/** Prompts of unlike lengths, so that shorter ones are padded: by how many and how often, the cache is kept otherwise. */
const promptsOf = (count: number) =>
  Array.from({ length: count }, (_, nth) => golden.text.slice(nth % 3, 5 + ((7 * nth) % 13)));

const LAYOUTS = [
  { name: 'few rows', prompts: promptsOf(3), samples: 1 },
  { name: 'many rows', prompts: promptsOf(20), samples: 1 },
  { name: 'many samples', prompts: promptsOf(4), samples: 6 },
] as const;

const runtime = Runtime.open(1);
afterAll(() => runtime.close());

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (value, at) => Math.abs(value - b[at]!)));

describe.each(golden.models)('$name agrees with transformers', ({ name, config: fields, logprobs, gradients }) => {
  const config = parseConfig(name, fields);
  const open = () => new LocalPolicy(runtime, weightsOf(config));
  const expected = unpack(logprobs);
  const text = golden.text;

  test('in the log-probabilities of training', async () => {
    for (let token = 0; token < config.vocabSize; token += 5) {
      const { logprobs } = await open().forward([{ input: [...text], targets: text.map(() => token) }], CROSS_ENTROPY);
      const wanted = expected.filter((_, at) => at % config.vocabSize === token);
      expect(largestDifference(logprobs[0]!, wanted)).toBeLessThan(BAR);
    }
  });

  test('in those of a whole text without gradients', async () => {
    const found = await allLogprobs(await open().sampler(), text, config.vocabSize);
    expect(largestDifference(found.flat(), expected)).toBeLessThan(BAR);
  });

  // what else differs between variants of a family is the same in a cache
  const cached = gradients !== undefined || hasWindow(config);
  test.runIf(cached).each(LAYOUTS)('and generates as it would by whole texts: $name', async ({ prompts, samples }) => {
    const sampler = await open().sampler();
    const how = { maxTokens: 12, temperature: 1, seed: 1, stop: [6, 13], samples };
    const sequences = await sampler.sample(prompts, how);
    for (const [nth, group] of sequences.entries()) {
      for (const { tokens, logprobs } of group) {
        const whole = [...prompts[nth]!, ...tokens];
        const [all] = await sampler.logprobs([whole]);
        expect(largestDifference(logprobs, all!.slice(prompts[nth]!.length))).toBeLessThan(BAR);
      }
    }
  });

  test.runIf(gradients !== undefined)('in the gradients of all parameters', async () => {
    const policy = open();
    await policy.forwardBackward([{ input: text.slice(0, -1), targets: text.slice(1) }], CROSS_ENTROPY);
    const { parameters } = await policy.gradient();
    expect(parameters.map(({ name }) => name).sort()).toEqual(Object.keys(gradients!).sort());
    for (const { name, data } of parameters) {
      const [length, product] = gradients![name]!;
      const noise = numbers(data.length, 0.5);
      expect(Math.abs(Math.hypot(...data) - length)).toBeLessThan(BAR * length);
      expect(Math.abs(data.reduce((sum, value, at) => sum + value * noise[at]!, 0) - product)).toBeLessThan(
        BAR * length,
      );
    }
  });
});
