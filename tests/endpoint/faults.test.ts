import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { EndpointClient } from '../../src/engine/endpoint/endpoint-client.ts';
import type { Dialect } from '../../src/engine/endpoint/request.ts';
import { retryAfter } from '../../src/engine/http/retry-after.ts';
import { CERTIFICATE, KEY } from './certificate.ts';
import { connectTo, hurried, modelAt, said } from './open.ts';
import { type Act, chatReply, modelList, StubServer, sendJson, withModels } from './stub-server.ts';

let stub: StubServer | undefined;
afterEach(async () => {
  await stub?.stop();
  stub = undefined;
});

const dialect: Dialect = {
  route: 'chat',
  prefill: undefined,
  maxTokens: 'max_tokens',
  temperature: true,
  seed: true,
  mergeTurns: false,
  echoes: false,
};

async function serve(act: Act): Promise<string> {
  stub = await StubServer.start(withModels(act, 'toy', 'other'));
  return `${stub.url}/v1#toy`;
}

const plainAsk = { maxTokens: 10, temperature: 0, seed: 1, samples: 1, tokens: false, prompt: undefined };

async function askMany(client: EndpointClient, count: number): Promise<string[]> {
  const asking = Array.from({ length: count }, (_, at) =>
    client.ask({ conversation: said(`question ${at}`), ...plainAsk }, dialect, 0),
  );
  const answers = await Promise.all(asking).catch((error) => {
    throw client.stopped(error);
  });
  return answers.map(({ replies }) => replies[0]!.text);
}

const fine = chatReply('fine');

/** Misbehaves for the first few requests. */
const atFirst =
  (times: number, fault: Act): Act =>
  (seen, response, nth) => {
    return nth <= times ? fault(seen, response, nth) : fine;
  };

describe('what passes', () => {
  const faults: Record<string, Act> = {
    'a storm of 429 that names its seconds': (_, response) =>
      sendJson(response, 429, { error: { message: 'slow down' } }, { 'retry-after': '1' }),
    'a storm of 429 that names a date': (_, response) =>
      sendJson(response, 429, {}, { 'retry-after': new Date(Date.now() + 1000).toUTCString() }),
    'answers of 500': (_, response) => sendJson(response, 500, { error: 'boom' }),
    'an overloaded 529': (_, response) => sendJson(response, 529, { error: { message: 'Overloaded' } }),
    'a page of 502': (_, response) => void response.writeHead(502).end('<html>Bad Gateway</html>'),
    'a truncated body': (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' });
      response.write('{"choices": [{"mess');
      setTimeout(() => response.destroy(), 5);
    },
    'a body that is no JSON': (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices": [{]}');
    },
    'empty choices': () => ({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 0 } }),
    'a connection that is closed at once': (_, response) => void response.destroy(),
  };

  it.each(Object.entries(faults))('%s is asked again until it is over', async (_, fault) => {
    const client = await connectTo(await serve(atFirst(5, fault)));
    expect(await askMany(client, 12)).toEqual(new Array(12).fill('fine'));
    expect(client.parts.flow.count.retries).toBeGreaterThan(0); // a kept connection that was closed is taken anew at once
    expect(client.parts.budget.spent.replies).toBeGreaterThanOrEqual(12);
  });

  it.each(['gzip', 'x-gzip', 'deflate', 'br', 'GZIP, identity', undefined])(
    'a body compressed as %s is read',
    async (encoding) => {
      const pack = encoding === 'br' ? brotliCompressSync : encoding === 'deflate' ? deflateSync : gzipSync;
      const headers = { 'content-type': 'application/json', ...(encoding && { 'content-encoding': encoding }) };
      const client = await connectTo(
        await serve((_, response) => void response.writeHead(200, headers).end(pack(JSON.stringify(fine)))),
      );
      expect(await askMany(client, 2)).toEqual(['fine', 'fine']);
      expect(client.parts.flow.count.retries).toBe(0);
    },
  );

  it('an error in a 200 that names a status is treated as that status', async () => {
    const client = await connectTo(await serve(atFirst(1, () => ({ error: { code: 429, message: 'slow down' } }))));
    expect(await askMany(client, 1)).toEqual(['fine']);
    expect(client.parts.flow.count.pushbacks).toBe(1);
  });

  it('a stall beyond the time-out is asked again, body and all', async () => {
    const stall: Act = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{'); // the headers come in time, the rest never does
    };
    const client = await connectTo(await serve(atFirst(2, stall)), { timeout: 60_000 });
    expect(await askMany(client, 4)).toEqual(new Array(4).fill('fine'));
    expect(client.parts.budget.spent.lost).toBeGreaterThanOrEqual(2); // more where this machine itself is stalled
  });

  it('no content is an empty reply, and is counted', async () => {
    const nothing = { message: { content: null }, finish_reason: 'content_filter' };
    const client = await connectTo(await serve(() => ({ ...fine, choices: [nothing] })));
    expect(await askMany(client, 2)).toEqual(['', '']);
    expect(client.empty).toBe(2);
  });

  it('halves what is in flight when the server pushes back', async () => {
    const client = await connectTo(await serve(atFirst(1, (_, response) => sendJson(response, 429, {}))));
    await askMany(client, 1);
    expect(client.parts.flow.limit).toBeLessThanOrEqual(5);
  });
});

describe('what does not pass stops with one line', () => {
  const answers =
    (status: number, message: string): Act =>
    (_, response) =>
      sendJson(response, status, { error: { message } });
  const stops: [string, Act, RegExp][] = [
    ['a wrong model name', answers(404, 'model toy not found'), /#toy: answers 404: model toy not found$/],
    ['a refused request', answers(400, 'bad\nthing'), /answers 400: bad thing$/],
    ['a refused key', answers(401, 'no'), /the key is not accepted \(401: no\); set another, or name its variable/],
    ['a quota that is used up', answers(429, 'insufficient_quota'), /answers 429: insufficient_quota$/],
    ['a server that never recovers', answers(500, 'boom'), /answers 500: boom, 8 times in a row$/],
    ['a web page', (_, response) => void response.end('<!doctype html><p>Hi'), /web page, not JSON; addresses usually end in \/v1$/],
    ['a redirect', (_, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), /redirects to another address \(302\)/],
    ['an error in a 200', () => ({ error: 'the adapter is gone' }), /#toy: answers without a reply: the adapter is gone, 3 times in a row$/],
    ['an error object in a 200', () => ({ error: { message: 'no such adapter' }, choices: [] }), /answers without a reply: no such adapter, 3 times in a row$/],
    ['an error in a 200 beside a reply', () => ({ ...fine, error: { message: 'half of it' } }), /half of it, 3 times in a row$/],
    ['a route that is not there, in a 200', () => ({ error: 'Unexpected endpoint or method. (POST /v1/chat/completions)' }), /answers 400: Unexpected endpoint/],
    ['a key that is refused in a 200', () => ({ error: { type: 'authentication_error', message: 'bad key' } }), /the key is not accepted \(401: bad key\)/],
    ['a model that is not there, in a 200', () => ({ error: { code: '404', message: 'model toy not found' } }), /answers 404: model toy not found/],
    ['an error in the only choice', () => ({ choices: [{ message: { content: '' }, finish_reason: 'error', error: { code: 400, message: 'filtered' } }] }), /answers 400: filtered$/],
    ['no choices', () => ({ choices: [], note: 'ran dry' }), /answers without a reply: \{"choices":\[\],"note":"ran dry"\}, 3 times in a row$/],
    ['a stream that nobody asked for', (_, response) => void response.end('data: {"choices":[]}\n\n'), /the reply is no JSON: data: \{"choices":\[\]\}, 3 times in a row$/],
    ['an unknown compression', (_, response) => void response.writeHead(200, { 'content-encoding': 'snappy' }).end('x'), /compressed as snappy, which is not known, 3 times in a row$/],
    ['a broken compression', (_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'), /the reply is no gzip \(.*\), 3 times in a row$/],
    ['control characters', answers(400, 'no\u001b[2J\u009b1Away'), /answers 400: no␛\[2J\ufffd1Away$/],
    ['a wait of hours', (_, response) => sendJson(response, 429, {}, { 'retry-after': '7200' }), /it asks to wait for 120 min$/],
  ]; // biome-ignore format: one fault a line

  it.each(stops)('%s', async (_, fault, line) => {
    const client = await connectTo(await serve(fault));
    const error = await askMany(client, 6).catch((thrown) => thrown);
    expect(error.name).toBe('EndpointError');
    expect(error.message).toMatch(line);
    expect(error.message).not.toContain('\n');
  });

  it('a model that the server does not list is answered with those it has', async () => {
    const url = (await serve(answers(404, 'not found'))).replace('#toy', '#tyo');
    await expect(askMany(await connectTo(url), 1)).rejects.toThrow(/#tyo: answers 404: not found; it has toy, other$/);
  });

  it('no model named, several there', async () => {
    const url = (await serve(() => fine)).replace('#toy', '');
    await expect(connectTo(url)).rejects.toThrow(/which model\? .* it has toy, other$/);
  });

  it('nobody listens', async () => {
    const url = await serve(() => fine);
    await stub!.stop();
    await expect(connectTo(url)).rejects.toThrow(
      /#toy: nothing listens there; start the server, or mend the address \(ECONNREFUSED\)$/,
    );
  });

  it('a certificate that nobody trusts', async () => {
    const server = createServer({ key: KEY, cert: CERTIFICATE }, (_, response) => response.end('{}'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo; // it listens on TCP
    await expect(connectTo(`https://127.0.0.1:${port}/v1#toy`)).rejects.toThrow(
      /no trusted connection \(.*CERT.*\); give its certificate to Node by NODE_EXTRA_CA_CERTS=FILE/,
    );
    await new Promise((resolve) => server.close(resolve));
  });

  it('a server that is killed in the middle: what came before is kept, what comes after waits and then stops', async () => {
    const url = await serve(() => fine);
    const client = await connectTo(url);
    await askMany(client, 3);
    await stub!.stop();
    stub = undefined;
    const later = client.ask({ conversation: said('later'), ...plainAsk }, dialect, 0);
    await expect(later).rejects.toThrow(/ECONNREFUSED|broke off/);
    expect(client.parts.budget.spent.replies).toBeGreaterThanOrEqual(3);
  });

  it('a server that is started again in the meantime goes unnoticed', async () => {
    const url = await serve(() => fine);
    const client = await connectTo(url);
    await askMany(client, 2);
    await stub!.stop();
    const later = client.ask({ conversation: said('later'), ...plainAsk }, dialect, 0);
    await hurried.sleep(1000);
    stub = await StubServer.start(
      withModels(() => fine, 'toy'),
      Number(new URL(url).port),
    );
    expect((await later).replies[0]!.text).toBe('fine');
  });

  it('a model that says nothing at all', async () => {
    const silent = { ...fine, choices: [{ message: { content: '' }, finish_reason: 'length' }] };
    await expect(modelAt(await serve(() => silent))).rejects.toThrow(/says nothing within 40 tokens.*--reply-tokens$/);
  });
});

describe('Retry-After', () => {
  const wait = (headers: Record<string, string>) =>
    retryAfter(new Headers(headers), Date.parse('2026-01-01T00:00:00Z'));
  it('is read in every form', () => {
    expect(wait({ 'retry-after': '3' })).toBe(3000);
    expect(wait({ 'retry-after': 'Thu, 01 Jan 2026 00:01:00 GMT' })).toBe(60_000);
    expect(wait({ 'retry-after': 'Wed, 31 Dec 2025 00:00:00 GMT' })).toBe(0);
    expect(wait({ 'retry-after-ms': '250', 'retry-after': '9' })).toBe(250);
    expect(wait({ 'retry-after': 'soon' })).toBeUndefined();
    expect(wait({})).toBeUndefined();
  });
});

it('a list of models that is none does not stop anybody', async () => {
  stub = await StubServer.start(({ path }, response) => {
    if (path.endsWith('/models')) return sendJson(response, 404, modelList());
    return fine;
  });
  expect(await askMany(await connectTo(`${stub.url}/v1#toy`), 1)).toEqual(['fine']);
});
