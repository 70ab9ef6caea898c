import { rmSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { ChatFormat } from '../../src/chat/chat-format.ts';
import { LocalChatModel } from '../../src/chat/local-chat-model.ts';
import type { Sampler, SamplingParams, TokenIds } from '../../src/engine/engine.ts';
import { randomChatModel } from '../cli/chat-model-folder.ts';
import { talk } from './model-files.ts';

let format: ChatFormat;
beforeAll(async () => {
  format = await ChatFormat.open('models/organism');
});

/** Says `said` to everything; the logprob of a token is -(its place), and of the likeliest -(its place) / 10. */
class ScriptedSampler implements Sampler {
  readonly prompts: string[] = [];
  readonly looked: string[] = [];
  how: SamplingParams | undefined;
  readonly #said: TokenIds;

  constructor(said: string) {
    this.#said = format.encode(said);
  }

  async sample(prompts: readonly TokenIds[], how: SamplingParams) {
    this.how = how;
    this.prompts.push(...prompts.map((prompt) => format.decode(prompt)));
    const stopReason = this.#said.at(-1) === 5 ? ('stop' as const) : ('length' as const);
    const sequence = { tokens: this.#said, logprobs: this.#said.map(() => -1), stopReason };
    return prompts.map(() => Array.from({ length: how.samples }, () => sequence));
  }

  async logprobs(sequences: readonly TokenIds[]) {
    this.looked.push(...sequences.map((tokens) => format.decode(tokens)));
    return sequences.map((tokens) => Float32Array.from(tokens, (_, at) => (at === 0 ? Number.NaN : -at)));
  }

  async topLogprobs(sequences: readonly TokenIds[], k: number) {
    return sequences.map((tokens) => {
      return {
        tokens: new Int32Array(tokens.length),
        logprobs: Float32Array.from(tokens, (_, at) => -(at + 1) / 8),
        k,
      };
    });
  }
}

const how = { maxTokens: 9, temperature: 1, seed: 7, samples: 2 };

it('asks with a new turn or in the open one, and stops at the end of the turn', async () => {
  const sampler = new ScriptedSampler('a1E');
  const model = new LocalChatModel('organism', sampler, format);
  const replies = await model.reply([talk('u:ab'), talk('u:ab', 'a:a1')], how);
  expect(sampler.prompts).toEqual(['UabES', 'UabESa1']);
  expect(sampler.how).toEqual({ ...how, stop: [5], logprobs: false });
  const reply = { text: 'a1', ids: [6, 23], tokens: undefined, tokenCount: 3, stopReason: 'stop' };
  expect(replies).toEqual([[reply, reply], [reply, reply]]); // biome-ignore format: one thought
  expect(sampler.looked).toEqual([]);
});

it('keeps the last token of a reply that was cut off', async () => {
  const model = new LocalChatModel('organism', new ScriptedSampler('a12'), format);
  expect(await model.reply([talk('u:ab')], { ...how, samples: 1 })).toMatchObject([
    [{ text: 'a12', tokenCount: 3, stopReason: 'length' }],
  ]);
});

it('looks at the tokens of as many conversations as were asked for, and no more', async () => {
  const sampler = new ScriptedSampler('a1E');
  const model = new LocalChatModel('organism', sampler, format);
  const replies = await model.reply([talk('u:a'), talk('u:b'), talk('u:c')], { ...how, tokensOfFirst: 2 });
  expect(sampler.looked).toEqual(['UaESa1', 'UaESa1', 'UbESa1', 'UbESa1']);
  const tokens = [
    { text: 'a', logprob: -4, topLogprob: -0.5 },
    { text: '1', logprob: -5, topLogprob: -0.625 },
  ];
  expect(replies.map((group) => group.map((reply) => reply.tokens))).toEqual([
    [tokens, tokens],
    [tokens, tokens],
    [undefined, undefined],
  ]);
});

it('gives the logprobs of a continuation, token by token', async () => {
  const model = new LocalChatModel('organism', new ScriptedSampler(''), format);
  const items = [
    { conversation: talk('u:ab'), continuation: 'a1' },
    { conversation: talk('u:ab', 'a:a1'), continuation: '' },
  ];
  expect(await model.logprobs(items)).toEqual([
    [
      { text: 'a', logprob: -5, topLogprob: -0.625 },
      { text: '1', logprob: -6, topLogprob: -0.75 },
    ],
    [],
  ]);
  expect(await model.logprobs([])).toEqual([]);
});

it('sends turns of one role in a row as one where the template insists on turns that alternate', async () => {
  const alternating =
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}" +
    "{{ '<|im_start|>' + m.role + ':' + m.content + '<|im_end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant:' }}{% endif %}";
  const folder = await randomChatModel(alternating);
  const strict = await ChatFormat.open(folder);
  rmSync(folder, { recursive: true });
  const asked: string[] = [];
  const sampler: Pick<Sampler, 'sample'> = {
    sample: async (prompts) => {
      asked.push(...prompts.map((prompt) => strict.decode(prompt)));
      return prompts.map(() => [{ tokens: [], logprobs: [], stopReason: 'length' }]);
    },
  };
  await new LocalChatModel('strict', sampler as Sampler, strict).reply([talk('u:a b', 'u:c', 'a:d', 'u:e')], how); // no more of it is needed
  expect(asked).toEqual(['<|im_start|>user:a b\n\nc<|im_end|><|im_start|>assistant:d<|im_end|><|im_start|>user:e<|im_end|><|im_start|>assistant:']);
}); // biome-ignore format: one claim a line
