import { rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ChatFormat } from '../../src/chat/chat-format.ts';
import { answerChat } from '../../src/serve/openai/chat.ts';
import { answerCompletion } from '../../src/serve/openai/completions.ts';
import type { ServedModel } from '../../src/serve/served-model.ts';
import { randomChatModel } from '../cli/chat-model-folder.ts';

/** Every token of this vocabulary is a byte. The model says "é!", and its likeliest tokens are the bytes c3, c2 and 21. */
async function byteModel(): Promise<ServedModel> {
  const folder = await randomChatModel();
  const format = await ChatFormat.open(folder);
  rmSync(folder, { recursive: true });
  const said = format.encode('é!');
  const likely = [0xc3, 0xc2, 0x21];
  const model: Partial<ServedModel> = {
    id: 'bytes',
    format,
    vocabSize: 264,
    maxPositions: 4096,
    sample: async () => [{ tokens: said, logprobs: said.map(() => -1), stopReason: 'length' }],
    score: async ({ tokens, top = 0 }) => ({
      logprobs: Float32Array.from(tokens, (_, at) => (at === 0 ? Number.NaN : -1)),
      top: {
        k: top,
        tokens: Int32Array.from(tokens.flatMap(() => likely.slice(0, top))),
        logprobs: Float32Array.from(tokens.flatMap(() => [-0.5, -2, -3].slice(0, top))),
      },
    }),
  };
  return model as ServedModel; // all that is asked of it
}

const bodyOf = (answer: object): { choices: { logprobs: unknown }[] } =>
  ('body' in answer ? answer.body : answer) as never;

it('completions name alternatives that are parts of a character by their bytes, so that none overwrites another', async () => {
  const request = { model: 'bytes', prompt: 'a', max_tokens: 3, logprobs: 3 };
  const { choices } = bodyOf(await answerCompletion(await byteModel(), request, new AbortController().signal));
  expect(choices[0]!.logprobs).toMatchObject({
    tokens: ['', 'é', '!'],
    top_logprobs: [
      { 'bytes:\\xc3': -1, 'bytes:\\xc2': -2, '!': -3 },
      { 'bytes:\\xa9': -1, 'bytes:\\xc3': -0.5, 'bytes:\\xc2': -2, '!': -3 },
      { '!': -1, 'bytes:\\xc3': -0.5, 'bytes:\\xc2': -2 },
    ],
  });
});

it("chat's bytes are those of the token, in part or whole", async () => {
  const request = { model: 'bytes', messages: [{ role: 'user', content: 'a' }], max_tokens: 3, logprobs: true, top_logprobs: 2 };
  const { choices } = bodyOf(await answerChat(await byteModel(), request, new AbortController().signal));
  expect(choices[0]!.logprobs).toMatchObject({
    content: [
      { token: '', bytes: [0xc3], top_logprobs: [{ token: 'bytes:\\xc3', bytes: [0xc3] }, { token: 'bytes:\\xc2', bytes: [0xc2] }] },
      { token: 'é', bytes: [0xa9] },
      { token: '!', bytes: [0x21] },
    ],
  });
}); // biome-ignore format: one token a line
