import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { WireError } from '../../src/errors.ts';
import { stream } from '../../src/random.ts';
import {
  decodeForwardBackwardOutput,
  decodeForwardBackwardRequest,
  encodeForwardBackwardOutput,
  encodeForwardBackwardRequest,
} from '../../src/tinker/wire/forward-backward.ts';
import { parseJson } from '../../src/tinker/wire/json.ts';
import { parseTinkerPath, tinkerPath } from '../../src/tinker/wire/path.ts';
import { loadWeightsRequest, sampleRequest } from '../../src/tinker/wire/requests.ts';
import { decodeSampleResponse, encodeSampleResponse } from '../../src/tinker/wire/sample-response.ts';
import { dense, type Tensor } from '../../src/tinker/wire/tensor.ts';
import { mutateBytes } from '../fuzz/mutate.ts';

/** Made by the official SDK; see tests/peers/tinker/make_fixtures.py. */
const golden = z
  .record(z.string(), z.string())
  .parse(JSON.parse(readFileSync('tests/tinker/fixtures/messages.json', 'utf8')));

const bytes = (name: string): Uint8Array => new Uint8Array(Buffer.from(golden[name]!, 'base64'));
const written = (tensor: Tensor) => [tensor.dtype, tensor.shape, Array.from(dense(tensor, 'it').values)];

it('reads a request of the official SDK: both maps of options, pieces of input, spans passed over', () => {
  const { data, ...rest } = decodeForwardBackwardRequest(bytes('ppo'));
  expect(rest).toEqual({
    modelId: 'session:train:0',
    seqId: 3,
    lossFn: 'ppo',
    lossConfig: { clip_low_threshold: 0.8, clip_high_threshold: 1.2, flavour: 'plain' },
    forwardOnly: false,
  });
  const [{ input, lossInputs }] = data as [(typeof data)[number]];
  expect(input.map((chunk) => chunk.kind === 'text' && Array.from(chunk.tokens))).toEqual([[5, 6], [151643]]);
  expect(Object.fromEntries(Object.entries(lossInputs).map(([name, tensor]) => [name, written(tensor)]))).toEqual({
    target_tokens: ['int64', [3], [6, 151643, 7]],
    logprobs: ['float32', [3], [0, -0.5, -2.25]],
    advantages: ['float32', [3], [0, 1.5, -1.5]],
  });
});

it('writes what it read as the SDK wrote it, byte for byte', () => {
  const soft = decodeForwardBackwardRequest(bytes('soft'));
  expect(Buffer.from(encodeForwardBackwardRequest(soft)).toString('base64')).toBe(golden.soft);
  const output = decodeForwardBackwardOutput(bytes('plainOutput'));
  expect(Buffer.from(encodeForwardBackwardOutput(output)).toString('base64')).toBe(golden.plainOutput);
  const sample = decodeSampleResponse(bytes('sample'));
  expect(Buffer.from(encodeSampleResponse(sample)).toString('base64')).toBe(golden.sample);
});

it('writes out sparse rows', () => {
  const { lossInputs } = decodeForwardBackwardRequest(bytes('soft')).data[0]!;
  expect(written(lossInputs.weights!)).toEqual(['float32', [2, 2], [1, 0, 0.75, 0.25]]);
  expect(written(lossInputs.target_tokens!)).toEqual(['int64', [2, 2], [2, 0, 3, 9]]);
});

it('reads outputs of several records, in halves as well', () => {
  const { outputs, metrics } = decodeForwardBackwardOutput(bytes('output'));
  expect(outputs.map(({ logprobs }) => Array.from(logprobs!.values))).toEqual([[-0.5], [-1.5, -2.5], [-1]]);
  expect(metrics).toEqual({ 'loss:sum': 5.5 });
});

it('reads samples with what they leave out', () => {
  const { sequences, promptLogprobs, topkPromptLogprobs } = decodeSampleResponse(bytes('sample'));
  expect(sequences.map(({ tokens, stopReason }) => [Array.from(tokens), stopReason])).toEqual([
    [[4, 2], 'stop'],
    [[4], 'length'],
  ]);
  expect(Array.from(promptLogprobs!)).toEqual([Number.NaN, -1.5]);
  expect(topkPromptLogprobs).toMatchObject({ k: 2, length: 2 });
  expect(decodeSampleResponse(encodeSampleResponse({ sequences: [] })).promptLogprobs).toBeUndefined();
});

it.each(['ppo', 'soft', 'output', 'sample'])('reads damaged %s bytes or says what is wrong', (name) => {
  const draws = stream(5, 'wire', name);
  const read = { output: decodeForwardBackwardOutput, sample: decodeSampleResponse }[name] ?? decodeForwardBackwardRequest;
  let refused = 0;
  for (let round = 0; round < 500; round++) {
    try {
      read(new Uint8Array(mutateBytes(draws, bytes(name))));
    } catch (error) {
      expect(error).toBeInstanceOf(WireError);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(30);
}); // biome-ignore format: one claim

it('refuses a shape that would fill the memory', () => {
  const tensor = { dtype: 'float32', shape: [2 ** 20, 2 ** 20], values: [], rowStarts: Array(2 ** 20 + 1).fill(0) };
  expect(() => dense({ ...tensor, columns: [] } as Tensor, 'datum 0: weights')).toThrow(
    /^datum 0: weights: .*too many/,
  );
});

it('keeps neighbouring numbers beyond exact ones apart', () => {
  const sample = (seq_id: string) => {
    const text = `{"sampling_session_id":"s","seq_id":${seq_id},"num_samples":1,"prompt":{"chunks":[]},"sampling_params":{}}`;
    return sampleRequest.parse(parseJson(text)).seq_id;
  };
  expect(sample('999999999000000001')).toBe('999999999000000001');
  expect(sample('7')).toBe('7');
  expect(parseJson('{"a":"\\"seq_id\\": 99999999900000000123"}')).toEqual({ a: '"seq_id": 99999999900000000123' });
});

it('reads paths of three parts, and of two where another server writes them', () => {
  const path = { modelId: 's:train:0', kind: 'weights', name: 'step-1' } as const;
  expect(parseTinkerPath(tinkerPath(path))).toEqual(path);
  expect(parseTinkerPath('tinker://m/a')).toEqual({ modelId: 'm', kind: 'sampler_weights', name: 'a' });
  for (const wrong of ['', 'file:///etc/passwd', 'tinker://m', 'tinker://m/else/a', 'tinker://m/weights/a/b']) {
    expect(() => parseTinkerPath(wrong)).toThrow(WireError);
  }
});

it('wants one of the two ways to address a load', () => {
  const path = 'tinker://m/weights/a';
  expect(loadWeightsRequest.safeParse({ path, model_id: 'm', seq_id: 1 }).success).toBe(true);
  expect(loadWeightsRequest.safeParse({ path, session_id: 's', model_seq_id: 0 }).success).toBe(true);
  expect(loadWeightsRequest.safeParse({ path, model_id: 'm', seq_id: 1, session_id: 's', model_seq_id: 0 }).success).toBe(false);
  expect(loadWeightsRequest.safeParse({ path }).success).toBe(false);
}); // biome-ignore format: a case a line
