import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { temporaryFile } from '../temporary.ts';
import { modelAt, said } from './open.ts';
import { type Act, chatReply, StubServer, sendJson, withModels } from './stub-server.ts';

let stub: StubServer;
afterEach(() => stub?.stop());

async function serve(act: Act): Promise<string> {
  stub = await StubServer.start(withModels(act, 'toy'));
  return `${stub.url}/v1#toy`;
}

const questions = (count: number) => Array.from({ length: count }, (_, at) => said(`question ${at}.`));
const how = { maxTokens: 20, temperature: 1, seed: 1, samples: 1 };

/** Refuses some conversations for what is in them, for good. */
const refusing =
  (which: (question: number) => boolean, status = 400): Act =>
  ({ body }, response) => {
    const question = /question (\d+)\./.exec(body.messages!.at(-1)!.content)?.[1];
    if (question === undefined || !which(Number(question))) return chatReply('the answer is 4');
    return sendJson(response, status, { error: { message: 'content management policy' } });
  };

describe('a conversation that the server refuses', () => {
  it.each([400, 413, 422])('by %d has that for its outcome; the others go on', async (status) => {
    const { client, model } = await modelAt(await serve(refusing((question) => question % 10 === 3, status)));
    const replies = (await model.reply(questions(50), { ...how, samples: 2 })).map(([first]) => first!);
    const refused = replies.filter((reply) => reply.refused !== undefined);
    expect(refused).toHaveLength(5);
    expect(refused[0]).toMatchObject({ text: '', refused: `answers ${status}: content management policy` });
    expect(client.refusals).toMatchObject({ replies: 10, first: refused[0]!.refused });
    expect(client.parts.budget.spent.lost).toBe(0);
  });

  it('costs nothing, and is asked again by a resume: the answer may be another by then', async () => {
    const journal = join(temporaryFile('replies.jsonl'));
    const first = await modelAt(await serve(refusing((question) => question === 7)), { journal });
    await first.model.reply(questions(20), how);
    await first.client.parts.journal!.close();
    expect(readFileSync(journal, 'utf8').match(/"failed":true/g)!.length).toBeGreaterThanOrEqual(1);
    const port = Number(new URL(stub.url).port);
    await stub.stop();
    stub = await StubServer.start(
      withModels(() => chatReply('now'), 'toy'),
      port,
    );
    const second = await modelAt(`${stub.url}/v1#toy`, { journal });
    const replies = await second.model.reply(questions(20), how);
    expect(replies.map(([reply]) => reply!.text).filter((text) => text === 'now')).toHaveLength(1);
    await second.client.parts.journal!.close();
  });

  it('that a filter broke off is marked, whatever had come of it', async () => {
    const filtered = { message: { content: 'I was about to' }, finish_reason: 'content_filter' };
    const { client, model } = await modelAt(
      await serve(({ body }) =>
        body.messages!.at(-1)!.content.includes('question 1.')
          ? { ...chatReply(''), choices: [filtered] }
          : chatReply('4'),
      ),
    );
    const [, [reply]] = (await model.reply(questions(3), how)) as [unknown, [unknown]];
    expect(reply).toMatchObject({ text: 'I was about to', refused: 'withheld by a filter of the provider' });
    expect(client.refusals.replies).toBe(1);
  });
});

describe('too many refusals are no outcomes', () => {
  it('where nothing but refusals comes, it stops at the twentieth reply', async () => {
    const { model } = await modelAt(await serve(refusing(() => true)), { most: 1 });
    const before = stub.asked.length;
    await expect(model.reply(questions(500), how)).rejects.toThrow(
      /#toy: refuses 20 of \d+ replies; at first it said: answers 400: content management policy$/,
    );
    expect(stub.asked.length - before).toBeLessThanOrEqual(20 + 4);
  });

  it('where more than a fifth is refused, it stops; where less is, it does not', async () => {
    const third = await modelAt(await serve(refusing((question) => question % 3 === 0)));
    await expect(third.model.reply(questions(500), how)).rejects.toThrow(/refuses \d+ of \d+ replies/);
    await stub.stop();
    const sixth = await modelAt(await serve(refusing((question) => question % 6 === 0)));
    await sixth.model.reply(questions(500), how);
    expect(sixth.client.refusals.replies).toBe(84);
  });

  it.each([
    [400, 'Your credit balance is too low'],
    [402, 'payment required'],
    [429, 'insufficient_quota'],
  ])('an empty budget (%d) stops at once', async (status, message) => {
    const broke: Act = ({ body }, response) =>
      body.messages!.at(-1)!.content.startsWith('question')
        ? sendJson(response, status, { error: { message } })
        : chatReply('4');
    const { model } = await modelAt(await serve(broke));
    await expect(model.reply(questions(100), how)).rejects.toThrow(new RegExp(`answers ${status}: ${message}`));
  });
});
