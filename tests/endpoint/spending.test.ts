import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { AdaptiveLimit } from '../../src/engine/endpoint/adaptive-limit.ts';
import { EndpointChatModel } from '../../src/engine/endpoint/endpoint-chat-model.ts';
import { costOf, priceOf, readPrices } from '../../src/engine/endpoint/prices.ts';
import { selfTest } from '../../src/engine/endpoint/self-test.ts';
import { temporaryFile } from '../temporary.ts';
import { connectTo, modelAt, said, samples } from './open.ts';
import { chatReply, StubServer, withModels } from './stub-server.ts';

const PRICE = { input: 100, output: 200 };

let stub: StubServer;
afterEach(() => stub?.stop());

/** Numbered replies, so that one asked for twice is seen to be another. */
async function serve(): Promise<string> {
  let replies = 0;
  stub = await StubServer.start(withModels(() => chatReply(`reply ${replies++} `.repeat(4)), 'toy'));
  return `${stub.url}/v1#toy`;
}

const questions = (count: number) => Array.from({ length: count }, (_, at) => said(`question ${at}`));
const how = { maxTokens: 20, temperature: 1, seed: 1, samples: 1 };

describe('a limit', () => {
  it('of dollars is never passed, whatever is in flight, and what is left is used', async () => {
    const limits = { budget: undefined, maxCost: 1 };
    const { client, model } = await modelAt(await serve(), { limits, priceOf: () => PRICE, most: 64 });
    await expect(model.reply(questions(2000), how)).rejects.toThrow(
      /one more request could pass --max-cost 1 USD .*--resume$/,
    );
    const { spent } = client.parts.budget;
    const cost = costOf(PRICE, { prompt: stub.asked.length * 10, completion: spent.completion });
    expect(cost).toBeLessThanOrEqual(1);
    expect(cost).toBeGreaterThan(0.95);
  });

  it('of replies is kept to the reply', async () => {
    const { client, model } = await modelAt(await serve(), { limits: { budget: 100, maxCost: undefined } });
    await expect(model.reply(questions(500), how)).rejects.toThrow(/the budget of 100 replies is used up/);
    expect(client.parts.budget.spent.replies).toBe(100);
    expect(stub.asked).toHaveLength(100);
  });

  it('of dollars needs a price', async () => {
    const limits = { budget: undefined, maxCost: 1 };
    await expect(connectTo(await serve(), { limits })).rejects.toThrow('toy: no price is known');
  });
});

describe('the price table', () => {
  it('knows the longest name that fits, its date and its source', async () => {
    const table = await readPrices(new URL('../../prices.json', import.meta.url).pathname);
    expect(table).toMatchObject({ date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/), source: expect.any(String) });
    expect(priceOf(table, 'claude-haiku-4-5-20251001')).toEqual({ input: 1, output: 5 });
    expect(priceOf(table, 'gpt-4o-mini')).toEqual({ input: 0.15, output: 0.6 });
    expect(priceOf(table, 'gpt-99')).toBeUndefined();
  });

  it('that is damaged says where', async () => {
    const path = temporaryFile('prices.json');
    writeFileSync(path, '{"date": "2026-01-01", "source": "x", "models": {"m": {"input": -1, "output": 2}}}');
    await expect(readPrices(path)).rejects.toThrow(/models\.m\.input: .*a price table has date/);
  });
});

describe('the journal', () => {
  it('answers what was paid for, trial by trial, and only that', async () => {
    const journal = temporaryFile('replies.jsonl');
    const url = await serve();
    const first = await modelAt(url, { journal });
    const replies = await first.model.reply(questions(20), { ...how, samples: 3 });
    expect(new Set(replies.flat().map(({ text }) => text)).size).toBe(60); // no trial is another's
    await first.client.parts.journal!.close();
    const asked = stub.asked.length;

    const second = await modelAt(url, { journal });
    expect(await second.model.reply(questions(20), { ...how, samples: 3 })).toEqual(replies);
    expect(stub.asked).toHaveLength(asked);
    expect(second.client.parts.budget.spent).toEqual(first.client.parts.budget.spent);
    await second.model.reply(questions(21), { ...how, samples: 4 });
    expect(stub.asked).toHaveLength(asked + 20 + 4);
    await second.client.parts.journal!.close();
  });

  it('survives a torn last line, counts what was in flight as lost, and refuses damage and other models', async () => {
    const journal = temporaryFile('replies.jsonl');
    const url = await serve();
    const { client } = await modelAt(url, { journal });
    await client.parts.journal!.close();
    const whole = readFileSync(journal, 'utf8');
    const sent = { key: 'k', sent: { replies: 1, prompt: 7, completion: 9 } };
    appendFileSync(journal, `${JSON.stringify(sent)}\n{"key":"x","answer":{"repl`);
    const again = await connectTo(url, { journal });
    expect(again.parts.budget.spent).toMatchObject({ lost: 1, replies: client.parts.budget.spent.replies + 1 });
    await again.parts.journal!.close();
    expect(readFileSync(journal, 'utf8')).toBe(`${whole}${JSON.stringify(sent)}\n`);

    await expect(connectTo(url.replace('#toy', '#other'), { journal })).rejects.toThrow(
      /holds replies of .*#toy, not of/,
    );
    writeFileSync(journal, whole.replace('"key"', '"yek"'));
    await expect(connectTo(url, { journal })).rejects.toThrow(/replies.jsonl:2: not a reply; restore the file/);
  });

  it('keeps where replies lie, not the replies', async () => {
    const journal = temporaryFile('replies.jsonl');
    const client = await connectTo(await serve(), { journal });
    const model = new EndpointChatModel(client, await selfTest(client, samples));
    await model.reply(questions(200), how);
    expect(
      readFileSync(journal, 'utf8')
        .split('\n')
        .filter((line) => line.includes('"answer"')).length,
    ).toBe(client.given);
    await client.parts.journal!.close();
  });
});

describe('what is in flight', () => {
  /** Rounds on a server that does `rate` replies a second at most, each taking `least` milliseconds. */
  function settled(rate: number, least: number, rounds: number): number {
    const limit = new AdaptiveLimit(256, 0);
    let now = 0;
    for (let round = 0; round < rounds; round++) {
      const size = limit.value;
      const took = Math.max(least, (size / rate) * 1000);
      for (let reply = 0; reply < size; reply++) limit.replied(now, 50, now + took);
      now += took;
    }
    return limit.value;
  }

  it('grows while the server keeps up, to the most that is allowed', () => {
    expect(settled(1e6, 500, 10)).toBe(256);
  });

  it('stays near what a slow server can work on', () => {
    expect(settled(10, 1000, 60)).toBeGreaterThanOrEqual(8);
    expect(settled(10, 1000, 60)).toBeLessThanOrEqual(24);
  });

  it('is halved once for all that were pushed back together', () => {
    const limit = new AdaptiveLimit(256, 0);
    for (let request = 0; request < 8; request++) limit.pushedBack(0, 10 + request);
    expect(limit.value).toBe(4);
    limit.pushedBack(11, 20);
    expect(limit.value).toBe(2);
  });
});
