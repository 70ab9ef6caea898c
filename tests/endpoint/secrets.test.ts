import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { parseAddress } from '../../src/engine/endpoint/address.ts';
import { Secret } from '../../src/engine/http/secret.ts';
import { temporaryFile } from '../temporary.ts';
import { connectTo, modelAt, said } from './open.ts';
import { type Act, chatReply, modelList, StubServer, sendJson } from './stub-server.ts';

const CANARY = 'sk-canary-5f0e"7/+c1';
const FORMS = [
  CANARY,
  JSON.stringify(CANARY).slice(1, -1),
  encodeURIComponent(CANARY),
  btoa(CANARY).replace(/=+$/, ''),
];
const secret = new Secret(CANARY);

let stub: StubServer | undefined;
afterEach(() => stub?.stop());

async function serve(act: Act): Promise<string> {
  stub = await StubServer.start((seen, response, nth) =>
    seen.path.endsWith('/models') ? modelList('toy') : act(seen, response, nth),
  );
  return `${stub.url}/v1#toy`;
}

const isClean = (text: string): boolean => FORMS.every((form) => !text.includes(form));

const how = { maxTokens: 5, temperature: 0, seed: 1, samples: 1 };

describe('a key', () => {
  it('is sent, and is nowhere to be seen', async () => {
    const path = temporaryFile('replies.jsonl');
    const echo = `you sent ${FORMS.join(' or ')}`;
    const { client, test, model } = await modelAt(await serve(() => chatReply(echo)), { secret, journal: path });
    const [replies] = await model.reply([said('hello')], how);
    await client.parts.journal!.close();
    expect(stub!.seen.every(({ headers }) => headers.authorization === `Bearer ${CANARY}`)).toBe(true);
    expect(replies![0]!.text).toBe('you sent [key] or [key] or [key] or [key]');
    expect(isClean(readFileSync(path, 'utf8') + JSON.stringify(test) + inspect(client, { depth: 9 }))).toBe(true);
  });

  it.each([400, 401, 404, 429, 500])(
    'that a body of %d echoes stays out of the error, its stack and its causes',
    async (status) => {
      const echo: Act = (seen, response) =>
        sendJson(response, status, { error: { message: `bad key ${seen.headers.authorization} insufficient_quota` } });
      const error = await modelAt(await serve(echo), { secret }).catch((thrown) => thrown);
      expect(error.name).toBe('EndpointError');
      expect(isClean(inspect(error, { depth: 9, showHidden: true }) + error.stack)).toBe(true);
    },
  );

  it('stays out when the connection breaks, and from whatever prints it', async () => {
    const url = await serve(() => chatReply('x'));
    await stub!.stop();
    const error = await connectTo(url, { secret }).catch((thrown) => thrown);
    expect(isClean(inspect(error, { depth: 9, showHidden: true }))).toBe(true);
    expect(`${secret} ${JSON.stringify({ secret })} ${inspect(secret, { depth: 9 })}`).not.toContain('canary');
  });

  it('goes to its own provider and this machine only, unless it is named', () => {
    const env = { OPENAI_API_KEY: 'sk-openai', ANTHROPIC_API_KEY: 'sk-anthropic', MINE: 'sk-mine' };
    const keyFor = (address: string, name?: string) => Secret.of(parseAddress(address), name, env).key;
    expect(keyFor('openai:gpt-x')).toBe('sk-openai');
    expect(keyFor('anthropic:claude-x')).toBe('sk-anthropic');
    expect(keyFor('http://127.0.0.1:8000/v1#m')).toBe('sk-openai');
    expect(keyFor('anthropic:http://localhost:4000#m')).toBe('sk-anthropic');
    expect(keyFor('https://api.openai.com/v1#m')).toBe('sk-openai');
    expect(keyFor('https://models.example/v1#m')).toBeUndefined();
    expect(keyFor('https://models.example/v1#m', 'MINE')).toBe('sk-mine');
  });

  it('given where its name belongs is not repeated', () => {
    const address = parseAddress('openai:gpt-x');
    expect(() => Secret.of(address, 'sk_live_123456', {})).toThrow(/^--key-env: no variable of that name is set/);
    expect(() => Secret.of(address, 'BAD', { BAD: 'sk-with\nnewline' })).toThrow(/^BAD: holds characters/);
    for (const text of ['http://user:hunter2@host/v1', 'http://host/v1?key=hunter2']) {
      expect(() => parseAddress(text)).toThrow(/^(?!.*hunter2).*may hold a secret; use --key-env NAME$/);
    }
  });
});
