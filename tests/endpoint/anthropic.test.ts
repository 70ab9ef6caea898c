import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import type { ConnectOptions } from '../../src/engine/endpoint/connect.ts';
import { Secret } from '../../src/engine/http/secret.ts';
import { temporaryFile } from '../temporary.ts';
import { modelAt, said, samples } from './open.ts';
import { type Act, StubServer, sendJson } from './stub-server.ts';

/**
 * @file Anthropic's Messages through the official client, against a server that behaves as
 * https://platform.claude.com/docs/en/api/messages says.
 */

let stub: StubServer;
afterEach(() => stub?.stop());

const WORDS = ' one two three four five six seven eight nine ten'.split(/(?= )/);

/** A reply of the protocol. */
const message = (text: string, rest: object = {}) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-x',
  content: [{ type: 'text', text }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 12, output_tokens: 7 },
  ...rest,
});

const refusal = (message: string) => ({ type: 'error', error: { type: 'invalid_request_error', message } });

/** Counts to ten, and goes on counting from a last turn of its own. */
const counting: Act = ({ body }) => {
  const last = body.messages!.at(-1)!;
  const said = last.role === 'assistant' ? last.content : '';
  return message(WORDS.join('').slice(said.length));
};

const noPrefill =
  (act: Act): Act =>
  (seen, response, nth) =>
    seen.body.messages!.at(-1)!.role === 'assistant'
      ? sendJson(response, 400, refusal('This model does not support assistant message prefill.'))
      : act(seen, response, nth);

async function opened(act: Act, options: Partial<ConnectOptions> = {}) {
  stub = await StubServer.start((seen, response, nth) => {
    if (seen.path !== '/v1/messages') return { data: [{ id: 'claude-x', type: 'model', max_input_tokens: 200_000 }] };
    return act(seen, response, nth);
  });
  return modelAt(`anthropic:${stub.url}#claude-x`, options);
}

const how = { maxTokens: 30, temperature: 0, seed: 1, samples: 1 };

describe('Anthropic Messages', () => {
  it('finds what the protocol has, and says what it has not', async () => {
    const { test } = await opened(counting);
    expect(test.findings).toMatchObject({
      prefill: { can: true, how: expect.stringMatching(/^by trailing: 3 of 3/) },
      seed: { can: false, how: 'the protocol has none' },
      own_logprobs: { can: false },
      prompt_logprobs: { can: false },
      n: { can: false, how: 'the protocol has none: samples are asked for one by one' },
      max_context: { can: true, how: '200000 tokens' },
    });
    const fields = new Set(stub.asked.flatMap(({ body }) => Object.keys(body)));
    for (const foreign of ['seed', 'n', 'logprobs', 'stop']) expect([...fields]).not.toContain(foreign);
  });

  it('of a newer model that refuses an open turn says so, and measures without', async () => {
    const { test, model } = await opened(noPrefill(counting));
    expect(test.findings.prefill).toEqual({ can: false, how: 'an open turn is not gone on with' });
    expect(model.can.prefill).toBe(false);
    expect((await model.reply([samples.prompts[0]!], how))[0]![0]!.text).toContain('ten');
  });

  it('leaves out a temperature that a model does not take', async () => {
    const cold: Act = (seen, response, nth) =>
      'temperature' in seen.body
        ? sendJson(response, 400, refusal('`temperature` is not supported for this model'))
        : counting(seen, response, nth);
    const { test, model } = await opened(cold);
    expect(test.findings.temperature.can).toBe(false);
    await model.reply([samples.prompts[0]!], how);
    expect(stub.asked.at(-1)!.body).not.toHaveProperty('temperature');
  });

  it('sends system turns apart, tool turns as the user’s, and an open turn without the space at its end', async () => {
    const { model } = await opened(counting);
    await model.reply(
      [
        [
          { role: 'system', text: 'Be brief.', origin: 'given' },
          { role: 'user', text: 'Count.', origin: 'given' },
          { role: 'tool', text: '3', origin: 'given' },
          { role: 'assistant', text: ' one two ', origin: 'injected' },
        ],
      ],
      how,
    );
    const { body } = stub.asked.at(-1)!;
    expect(body).toMatchObject({
      system: 'Be brief.',
      max_tokens: 30,
      messages: [
        { role: 'user', content: 'Count.' },
        { role: 'user', content: '3' },
        { role: 'assistant', content: ' one two' },
      ],
    });
  });

  it('gives back what comes behind that space, and not the space again', async () => {
    const { model } = await opened(counting);
    const open = [...said('Count.'), { role: 'assistant', text: ' one two ', origin: 'injected' }] as const;
    expect((await model.reply([open], how))[0]![0]!.text).toMatch(/^three four/);
  });

  it.each([
    ['end_turn', { stopReason: 'stop' }],
    ['stop_sequence', { stopReason: 'stop' }],
    ['max_tokens', { stopReason: 'length' }],
    ['model_context_window_exceeded', { stopReason: 'length' }],
    ['refusal', { stopReason: 'stop', refused: 'withheld by a filter of the provider' }],
  ])('reads the stop reason %s', async (stop_reason, expected) => {
    const { model } = await opened((seen, response, nth) =>
      seen.body.messages![0]!.content === 'now' ? message('4', { stop_reason }) : counting(seen, response, nth),
    );
    expect((await model.reply([said('now')], how))[0]![0]!).toMatchObject({ text: '4', ...expected });
  });

  it('counts tokens that were cached or thought, and what they cost', async () => {
    const usage = { input_tokens: 10, cache_creation_input_tokens: 20, cache_read_input_tokens: 30, output_tokens: 50 };
    const thinking = {
      content: [
        { type: 'thinking', thinking: 'hm' },
        { type: 'text', text: WORDS.join('') },
      ],
      usage,
    };
    const { client } = await opened(() => message('', thinking), { priceOf: () => ({ input: 3, output: 15 }) });
    const { replies, prompt, completion } = client.parts.budget.spent;
    expect(replies).toBe(stub.asked.length);
    expect({ prompt, completion }).toEqual({ prompt: 60 * replies, completion: 50 * replies });
    expect(client.parts.budget.cost).toBeCloseTo((replies * (60 * 3 + 50 * 15)) / 1e6, 12);
    expect(client.thinks).toBe(true);
  });

  it.each([
    [429, 'rate_limit_error'],
    [529, 'overloaded_error'],
  ])('waits out %d as long as it is told, and asks again', async (status, type) => {
    const times: number[] = [];
    const { client } = await opened(
      (seen, response, nth) => {
        times.push(performance.now());
        if (nth > 2) return counting(seen, response, nth);
        return sendJson(
          response,
          status,
          { type: 'error', error: { type, message: 'later' } },
          { 'retry-after': '30' },
        );
      },
      { most: 1 },
    );
    expect(client.parts.flow.count.pushbacks).toBeGreaterThanOrEqual(2);
    expect(times[2]! - times[1]!).toBeGreaterThanOrEqual(295); // 30 s, a hundred times faster
    expect(client.parts.budget.spent.lost).toBe(0);
  });

  it('an empty budget stops at once', async () => {
    const broke: Act = (_, response) => sendJson(response, 400, refusal('Your credit balance is too low'));
    await expect(opened(broke)).rejects.toThrow(/answers 400: Your credit balance is too low$/);
  });

  it('the key goes into its own header, and nowhere else', async () => {
    const canary = 'sk-ant-canary-77"x';
    const journal = temporaryFile('replies.jsonl');
    const { client, test } = await opened(
      ({ headers }) => message(`${WORDS.join('')} ${headers.authorization} ${JSON.stringify(headers.authorization)}`),
      { secret: new Secret(canary), journal },
    );
    await client.parts.journal!.close();
    expect(stub.seen.every(({ headers }) => headers.authorization === `Bearer ${canary}`)).toBe(true);
    expect(stub.asked.every(({ headers }) => headers['anthropic-version'] !== undefined)).toBe(true);
    const everything = readFileSync(journal, 'utf8') + JSON.stringify(test) + inspect(client, { depth: 9 });
    expect(everything).not.toMatch(/canary/);
    expect(everything).toContain('[key]');
  });
});
