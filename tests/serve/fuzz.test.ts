import { expect, it } from 'vitest';
import { ChatFormat } from '../../src/chat/chat-format.ts';
import { type Stream, stream } from '../../src/random.ts';
import { mutateBytes, mutateJson } from '../fuzz/mutate.ts';
import { HeldSampler } from './held-sampler.ts';
import { appOf, faults } from './tiny-server.ts';

const EACH = 1500;

const shared = { model: 'organism', temperature: 0.7, top_p: 0.9, top_k: 3, n: 2, seed: 4, stop: ['b', '1a'] };
const bodies: Readonly<Record<string, object>> = {
  '/v1/chat/completions': {
    ...shared,
    messages: [
      { role: 'user', content: 'ab' },
      { role: 'assistant', content: [{ type: 'text', text: 'a1' }], prefix: true },
    ],
    max_tokens: 9,
    logprobs: true,
    top_logprobs: 2,
    continue_final_message: true,
    stream: true,
    stream_options: { include_usage: true },
  },
  '/v1/completions': { ...shared, prompt: ['UabES', [1, 6, 7]], max_tokens: 9, logprobs: 2, echo: true, best_of: 1 },
};

/** Half of the damage is to the bytes, half to the values. */
function damaged(draws: Stream, body: object): Uint8Array {
  const encode = (text: string) => new TextEncoder().encode(text);
  if (draws.chance(0.5)) return mutateBytes(draws, encode(JSON.stringify(body)));
  return encode(JSON.stringify(mutateJson(draws, JSON.parse(JSON.stringify(body)))));
}

it.each(Object.keys(bodies))('%s answers every damaged body, or says what is wrong with it', async (path) => {
  const format = await ChatFormat.open('models/organism');
  const app = appOf(new HeldSampler(false), format);
  const draws = stream(1, 'fuzz', path);
  const statuses = new Map<number, number>();
  const ask = async () => {
    const body = damaged(draws, bodies[path]!);
    const headers = { 'content-type': 'application/json' };
    const answer = await app.request(path, { method: 'POST', headers, body: Buffer.from(body) });
    const text = await answer.text();
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    if (answer.status !== 200) expect(JSON.parse(text).error.message, Buffer.from(body).toString()).toMatch(/^.+$/);
    else expect(text.endsWith('data: [DONE]\n\n') || JSON.parse(text).choices.length > 0).toBe(true);
  };
  for (let round = 0; round < EACH / 50; round++) await Promise.all(Array.from({ length: 50 }, ask));
  expect(faults).toEqual([]);
  expect([...statuses.keys()].filter((status) => ![200, 400, 404].includes(status))).toEqual([]);
  expect(statuses.get(200)).toBeGreaterThan(EACH / 50);
}); // biome-ignore format: one claim
