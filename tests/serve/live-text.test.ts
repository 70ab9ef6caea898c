import { afterEach, describe, expect, it } from 'vitest';
import { ChatFormat } from '../../src/chat/chat-format.ts';
import type { OnToken, SamplingParams, TokenIds } from '../../src/engine/engine.ts';
import { HeldSampler } from './held-sampler.ts';
import { appOf, online } from './tiny-server.ts';

/** The organism's token for the letter a. */
const A = 6;

/** Tells of three tokens of each sample, and of all when it is let go. */
class TellingSampler extends HeldSampler {
  override sample(prompts: readonly TokenIds[], how: SamplingParams, onToken?: OnToken) {
    for (let token = 0; token < 3; token++) {
      for (let sample = 0; sample < how.samples; sample++) onToken?.(0, sample, A, -1);
    }
    return super.sample(prompts, how);
  }
}

let stop: (() => Promise<void>) | undefined;
afterEach(() => stop?.());

async function open() {
  const sampler = new TellingSampler();
  const server = await online(appOf(sampler, await ChatFormat.open('models/organism')));
  stop = server.stop;
  return { sampler, chats: server.client.chat.completions };
}

const request = { model: 'organism', messages: [{ role: 'user' as const, content: 'ab3' }], max_tokens: 5 };

describe('a streamed chat', () => {
  it('sends what is said already while the rest is being sampled', async () => {
    const { sampler, chats } = await open();
    const texts = ['', ''];
    let toldEarly = 0;
    const stream = await chats.create({ ...request, n: 2, stream: true, stream_options: { include_usage: true } });
    for await (const { choices, usage } of stream) {
      for (const { index, delta } of choices) texts[index] += delta.content ?? '';
      if (texts.join('') === 'aaaaaa' && toldEarly === 0) {
        toldEarly = texts.join('').length;
        sampler.release();
      }
      if (usage) expect(usage.completion_tokens).toBe(10);
    }
    expect(toldEarly).toBe(6);
    expect(texts).toEqual(['aaaaa', 'aaaaa']);
  });

  it('waits for the end where a stop string may cut what was said', async () => {
    const { sampler, chats } = await open();
    const opening = chats.create({ ...request, stop: ['aa'], stream: true });
    setTimeout(() => sampler.release(), 50);
    let text = '';
    for await (const { choices } of await opening) text += choices[0]?.delta.content ?? '';
    expect(text).toBe('');
  });
});
