import { afterAll, describe, expect, test } from 'vitest';
import type { SamplingParams } from '../../src/engine/engine.ts';
import { LocalPolicy } from '../../src/engine/local/policy/local-policy.ts';
import { Runtime } from '../../src/engine/local/runtime/runtime.ts';
import { ROUND } from '../../src/engine/local/sampling/cache-keeper.ts';
import {
  cutIntoGenerationBatches,
  generationFeeds,
  layoutOf,
} from '../../src/engine/local/sampling/generation-batch.ts';
import { generationGraph } from '../../src/engine/local/sampling/generation-graph.ts';
import { LocalSampler } from '../../src/engine/local/sampling/local-sampler.ts';
import { EngineError } from '../../src/errors.ts';
import { goldenNames, goldenWeights, readGolden, unpack } from './golden.ts';
import { allLogprobs, distribution, drawn, roomyWeights, uniforms } from './sampling-reference.ts';

const TOLERANCE = 1e-5;

const runtime = Runtime.open(1);
afterAll(() => runtime.close());

const plain: SamplingParams = { maxTokens: 20, temperature: 1, seed: 5, stop: [], samples: 2 };

/** Lengths 1 to 13, so that batches are padded. */
const prompts = [[3], [1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7], [2, 7, 1, 8, 2], [10, 0, 10, 0, 10, 0, 10]];

const many = [...prompts, ...prompts, ...prompts, ...prompts];

const openSampler = (name: string) => new LocalSampler(runtime, roomyWeights(name));

describe.each(goldenNames)('%s', (name) => {
  const { vocabSize } = readGolden(name).config;
  const sampler = openSampler(name);

  test('all next-token logprobs agree with PyTorch', async () => {
    const golden = readGolden(name);
    const pinned = new LocalSampler(runtime, goldenWeights(golden));
    for (const [nth, { input }] of golden.data.entries()) {
      const found = (await allLogprobs(pinned, input, vocabSize)).flat();
      expect(worstDifference(found, unpack(golden.allLogprobs[nth]!))).toBeLessThan(TOLERANCE);
    }
  });

  test('logprobs of given tokens are those of the training graph', async () => {
    const policy = new LocalPolicy(runtime, roomyWeights(name));
    const data = prompts.map((prompt) => ({ input: prompt, targets: [...prompt.slice(1), 0] }));
    const expected = (await policy.forward(data, { kind: 'cross_entropy' })).logprobs;
    const found = await sampler.logprobs(prompts);
    found.forEach((row, nth) => {
      expect(row.length).toBe(prompts[nth]!.length);
      expect(row[0]).toBeNaN();
      expect(worstDifference(row.slice(1), expected[nth]!.slice(0, -1))).toBeLessThan(TOLERANCE);
    });
  });

  test.each([
    ['few rows', prompts, {}],
    ['many rows', many, { samples: 1 }],
    ['many samples', prompts, { samples: 5 }],
    ['temperature 0.6', prompts, { temperature: 0.6 }],
    ['top-k', prompts, { topK: 3 }],
    ['top-p', prompts, { topP: 0.7 }],
    ['all three', prompts, { temperature: 1.5, topK: 6, topP: 0.8 }],
  ])('draws what the full forward pass and the uniform numbers say: %s', async (_title, given, change) => {
    const how = { ...plain, ...change };
    const sampled = await sampler.sample(given, how);
    for (const [prompt, sequences] of sampled.entries()) {
      for (const [sample, { tokens, logprobs }] of sequences.entries()) {
        const rows = await nextRows(sampler, given[prompt]!, tokens, vocabSize);
        expect(
          worstDifference(
            logprobs,
            rows.map((row, at) => row[tokens[at]!]!),
          ),
        ).toBeLessThan(TOLERANCE);
        const draws = uniforms(how.seed, prompt, sample, how.maxTokens);
        const expected = rows.map((row, at) => drawn(distribution(row, how), draws[at]!));
        // a number on the border of two tokens may fall to either side
        const clear = [...expected.keys()].filter((at) => expected[at]!.margin > TOLERANCE);
        expect(clear.length).toBeGreaterThan(15);
        expect(clear.map((at) => tokens[at])).toEqual(clear.map((at) => expected[at]!.token));
      }
    }
  });

  test('greedy takes the likeliest token', async () => {
    const sampled = await sampler.sample(prompts, { ...plain, temperature: 0, samples: 1 });
    for (const [prompt, [sequence]] of sampled.entries()) {
      const { tokens, logprobs } = sequence!;
      const rows = await nextRows(sampler, prompts[prompt]!, tokens, vocabSize);
      expect(tokens).toEqual(rows.map((row) => row.indexOf(Math.max(...row))));
      expect(
        worstDifference(
          logprobs,
          rows.map((row) => Math.max(...row)),
        ),
      ).toBeLessThan(TOLERANCE);
    }
  });

  test('a prompt goes on in the same way among others as alone', async () => {
    const alone = await sampler.sample(
      [[], [], prompts[2]!, []].map((prompt) => (prompt.length ? prompt : [0])),
      plain,
    );
    const among = await sampler.sample(prompts, plain);
    expect(among[2]!.map(({ tokens }) => tokens)).toEqual(alone[2]!.map(({ tokens }) => tokens));
    among[2]!.forEach(({ logprobs }, sample) => {
      expect(worstDifference(logprobs, alone[2]![sample]!.logprobs)).toBeLessThan(TOLERANCE);
    });
  });
});

describe('sampling', () => {
  const sampler = openSampler('llama');
  const { config } = roomyWeights('llama');

  test('frequencies follow the distribution', async () => {
    const how = { ...plain, maxTokens: 1, samples: 5000, topK: 8, temperature: 1.3 };
    const [rows] = await sampler.sample([[3, 1]], how);
    const shares = distribution((await allLogprobs(sampler, [3, 1], config.vocabSize))[1]!, how);
    const counts = shares.map(([token]) => rows!.filter(({ tokens }) => tokens[0] === token).length);
    const chiSquare = shares.reduce(
      (sum, [, share], nth) => sum + (counts[nth]! - 5000 * share) ** 2 / (5000 * share),
      0,
    );
    expect(counts.reduce((sum, count) => sum + count)).toBe(5000);
    expect(chiSquare).toBeLessThan(24.3); // 99.9 % of a chi-square with 7 degrees of freedom
  });

  test('a prompt with a seed of its own is drawn from as if it were alone', async () => {
    const seeds = prompts.map((_, nth) => 40 + nth);
    const together = await sampler.sample(prompts, { ...plain, seeds });
    for (const [nth, prompt] of prompts.entries()) {
      const [alone] = await sampler.sample([prompt], { ...plain, seed: seeds[nth]! });
      expect(together[nth]!.map(({ tokens }) => tokens)).toEqual(alone!.map(({ tokens }) => tokens));
    }
    const few = sampler.sample(prompts, { ...plain, seeds: [1] });
    await expect(few).rejects.toThrow(`there are 1 seeds for ${prompts.length} prompts; give one for each`);
  });

  test('a call made in parts that name their place draws what the whole call draws', async () => {
    const whole = await sampler.sample(prompts, plain);
    const parts = [
      ...(await sampler.sample(prompts.slice(0, 1), plain)),
      ...(await sampler.sample(prompts.slice(1), { ...plain, place: 1 })),
    ];
    const tokens = (groups: typeof whole) => groups.map((rows) => rows.map((row) => row.tokens));
    expect(tokens(parts)).toEqual(tokens(whole));
  });

  test.each([1, 2, 8, 9, 10])('maxTokens %i is a prefix of a longer run', async (maxTokens) => {
    const long = await sampler.sample(prompts, plain);
    const short = await sampler.sample(prompts, { ...plain, maxTokens });
    expect(short).toEqual(
      long.map((rows) =>
        rows.map(({ tokens, logprobs }) => ({
          tokens: tokens.slice(0, maxTokens),
          logprobs: logprobs.slice(0, maxTokens),
          stopReason: 'length',
        })),
      ),
    );
  });

  test.each([
    ['few rows', prompts, 2],
    ['many rows', [...many, ...many, ...many], 1],
    ['many samples', prompts, 9],
  ])('%s: a stop token ends its row, is part of it, and changes nothing before it', async (_title, given, samples) => {
    const how = { ...plain, samples };
    const stop = [4, 9];
    const free = (await sampler.sample(given, how)).flat();
    const stopped = (await sampler.sample(given, { ...how, stop })).flat();
    expect(new Set(stopped.map(({ stopReason }) => stopReason))).toEqual(new Set(['stop', 'length']));
    stopped.forEach(({ tokens, logprobs, stopReason }, row) => {
      const end = free[row]!.tokens.findIndex((token) => stop.includes(token)) + 1;
      expect(stopReason).toBe(end > 0 ? 'stop' : 'length');
      expect(tokens).toEqual(free[row]!.tokens.slice(0, end || how.maxTokens));
      expect(worstDifference(logprobs, free[row]!.logprobs.slice(0, tokens.length))).toBeLessThan(TOLERANCE);
    });
  });

  test.each([
    ['blocks', many, 1],
    ['shared', prompts, 9],
  ] as const)('%s: rows that have finished are left behind', async (layout, given, samples) => {
    const how = { ...plain, maxTokens: 34, stop: [4, 9], samples };
    const [batch] = cutIntoGenerationBatches(given, samples);
    const feeds = generationFeeds(given, batch!, how, config, layout);
    const weights = roomyWeights('llama');
    const graph = generationGraph({ weights }, 'draw', layout);
    const { nextLogprobs } = await runtime.run(graph, [weights], feeds, ['nextLogprobs']);
    const [rounds, rows, steps] = nextLogprobs!.shape as [number, number, number];
    const worked = Array.from({ length: rounds }, (_, round) => {
      const ofRound = nextLogprobs!.data.slice(round * rows * steps, (round + 1) * rows * steps);
      return [...ofRound].filter((logprob) => logprob !== 0).length / steps;
    });
    expect(worked[0]).toBe(rows);
    expect(worked.at(-1)).toBeLessThan(rows / 2);
  });

  test.each(['grown', 'blocks', 'shared'] as const)(
    '%s: the loop ends when every row has met a stop token',
    async (layout) => {
      const rounds = async (stop: number[]) => {
        const how = { ...plain, maxTokens: 34, stop };
        const [batch] = cutIntoGenerationBatches(prompts, how.samples);
        const feeds = generationFeeds(prompts, batch!, how, config, layout);
        const weights = roomyWeights('llama');
        const graph = generationGraph({ weights }, 'draw', layout);
        const { nextTokens } = await runtime.run(graph, [weights], feeds, ['nextTokens']);
        return nextTokens!.shape[0];
      };
      const everyToken = Array.from({ length: config.vocabSize }, (_, token) => token);
      expect(await rounds([])).toBe(Math.ceil(33 / ROUND[layout]));
      expect(await rounds(everyToken.slice(2))).toBeLessThan(12 / ROUND[layout] + 1);
      expect(await rounds(everyToken)).toBe(0);
    },
  );

  test('a prompt is read once for all its samples', () => {
    const how = { ...plain, samples: 8 };
    const batches = cutIntoGenerationBatches(prompts, how.samples);
    const read = batches.map((batch) => generationFeeds(prompts, batch, how, config, 'shared').tokens!.data.length);
    expect(read).toEqual([4 * 13]);
  });

  test.each([
    ['grown', prompts, 2],
    ['blocks', many, 1],
    ['shared', prompts, 5],
  ])('the tests above use the layout %s', (layout, given, samples) => {
    const batches = cutIntoGenerationBatches(given, samples);
    expect(batches.map((batch) => layoutOf(batch, 13 + plain.maxTokens))).toEqual([layout]);
  });

  test.each([
    [1, 1],
    [500, 1],
    [30, 8],
    [3, 1000],
    [200, 97],
  ])('%i prompts times %i samples: every row in exactly one batch', (count, samples) => {
    const given = Array.from({ length: count }, (_, nth) => Array.from({ length: 1 + (nth % 40) }, () => 0));
    const rows = cutIntoGenerationBatches(given, samples).flatMap(({ prompts, from, to }) =>
      prompts.flatMap((prompt) => Array.from({ length: to - from }, (_, at) => prompt * samples + from + at)),
    );
    expect(rows.sort((a, b) => a - b)).toEqual(Array.from({ length: count * samples }, (_, row) => row));
  });

  test('same seed, same bytes; another seed, other tokens', async () => {
    const first = await sampler.sample(prompts, plain);
    expect(await sampler.sample(prompts, plain)).toEqual(first);
    expect(await sampler.sample(prompts, { ...plain, seed: 6 })).not.toEqual(first);
  });

  test('the number of workers changes nothing', async () => {
    const pair = Runtime.open(2);
    const how = { ...plain, samples: 10 };
    const two = new LocalSampler(pair, roomyWeights('llama'));
    expect(cutIntoGenerationBatches(many, how.samples).length).toBeGreaterThan(2);
    expect(await two.sample(many, how)).toEqual(await sampler.sample(many, how));
    expect(await two.logprobs(many)).toEqual(await sampler.logprobs(many));
    expect(await two.topLogprobs(many, 4)).toEqual(await sampler.topLogprobs(many, 4));
    await pair.close();
  });

  test('the top k are the k likeliest, likeliest first', async () => {
    const found = await sampler.topLogprobs(prompts, 3);
    for (const [nth, { tokens, logprobs, k }] of found.entries()) {
      const rows = await allLogprobs(sampler, prompts[nth]!, config.vocabSize);
      expect(k).toBe(3);
      expect([...tokens]).toEqual(rows.flatMap((row) => ranking(row).slice(0, 3)));
      expect(
        worstDifference(
          logprobs,
          rows.flatMap((row) => row.toSorted((a, b) => b - a).slice(0, 3)),
        ),
      ).toBeLessThan(TOLERANCE);
    }
  });

  test.each([
    ['an empty prompt', [[3], []], {}, /prompt 1 is empty/],
    ['an id outside the vocabulary', [[3, 11]], {}, /token 11; ids are 0 to 10/],
    ['a negative id', [[-1]], {}, /token -1/],
    ['a text without room', [[1, 2, 3]], { maxTokens: 46 }, /3 tokens, with maxTokens 49; the model has 48/],
    ['no tokens', [[3]], { maxTokens: 0 }, /maxTokens is 0/],
    ['no samples', [[3]], { samples: 0 }, /samples is 0/],
    ['topP 0', [[3]], { topP: 0 }, /topP is 0/],
    ['topP above 1', [[3]], { topP: 1.1 }, /topP is 1.1/],
    ['topK 0', [[3]], { topK: 0 }, /topK is 0/],
    ['a negative temperature', [[3]], { temperature: -1 }, /temperature is -1/],
  ])('refuses %s', async (_title, given, change, message) => {
    const outcome = sampler.sample(given, { ...plain, ...change });
    await expect(outcome).rejects.toThrow(EngineError);
    await expect(outcome).rejects.toThrow(message);
  });

  test('uses the last position there is', async () => {
    const [rows] = await sampler.sample([[1, 2, 3]], { ...plain, maxTokens: 45, samples: 1 });
    expect(rows![0]!.tokens.length).toBe(45);
  });

  test('refuses to score what it cannot', async () => {
    await expect(sampler.logprobs([[1], []])).rejects.toThrow(/sequence 1 is empty/);
    await expect(sampler.logprobs([Array.from({ length: 49 }, () => 1)])).rejects.toThrow(/49 tokens/);
    await expect(sampler.topLogprobs([[1]], 12)).rejects.toThrow(/k is 12; it is 1 to 11/);
  });

  test('broken weights are an error, not a text', async () => {
    const broken = roomyWeights('llama');
    broken.get('model.norm.weight').data.fill(Number.NaN);
    await expect(new LocalSampler(runtime, broken).sample(prompts, plain)).rejects.toThrow(EngineError);
  });

  test('nothing asked, nothing answered', async () => {
    expect(await sampler.sample([], plain)).toEqual([]);
    expect(await sampler.logprobs([])).toEqual([]);
  });
});

/** The full forward pass over prompt and continuation: the rows that predict the continuation. */
async function nextRows(
  sampler: LocalSampler,
  prompt: readonly number[],
  tokens: readonly number[],
  vocabSize: number,
): Promise<number[][]> {
  const rows = await allLogprobs(sampler, [...prompt, ...tokens], vocabSize);
  return rows.slice(prompt.length - 1, -1);
}

function worstDifference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found.length).toBe(expected.length);
  const differences = Array.from(expected, (value, at) => Math.abs(value - found[at]!));
  return differences.reduce((worst, difference) => Math.max(worst, difference), 0);
}

const ranking = (row: readonly number[]): number[] => [...row.keys()].sort((a, b) => row[b]! - row[a]!);
