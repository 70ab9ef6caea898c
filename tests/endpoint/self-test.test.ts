import { afterEach, describe, expect, it } from 'vitest';
import type { SelfTest } from '../../src/engine/endpoint/self-test.ts';
import { modelAt, samples } from './open.ts';
import { StubServer, sendJson } from './stub-server.ts';
import { renderToy, type Toy, toyServer } from './toy-model.ts';

let stub: StubServer;
afterEach(() => stub.stop());

async function tested(toy: Toy, render = false) {
  stub = await StubServer.start(toyServer(toy));
  return modelAt(`${stub.url}/v1#toy`, render ? { render: renderToy } : {});
}

const able = ({ findings }: SelfTest) =>
  Object.entries(findings)
    .filter(([, { can }]) => can)
    .map(([name]) => name);

describe('the self-test', () => {
  it('finds nothing on a server that accepts every field and honours none', async () => {
    const { test } = await tested({});
    expect(able(test)).toEqual(['temperature', 'turns_in_a_row']);
    expect(test.findings.seed.how).toMatch(/^ignored: equal seeds gave unlike replies/);
    expect(test.findings.prefill.how).toBe('an open turn is not gone on with');
  });

  it.each(['continue_final_message', 'prefix', 'trailing'] as const)(
    'finds the prefill dialect %s',
    async (prefill) => {
      const { test } = await tested({ prefill });
      expect(test.findings.prefill).toEqual({
        can: true,
        how: expect.stringMatching(
          prefill === 'trailing' ? /^by continue_final_message|^by trailing/ : `^by ${prefill}: 3 of 3`,
        ),
      });
    },
  );

  it('finds an open turn that is given back in front of the reply, and takes it off replies and tokens', async () => {
    const { test, model } = await tested({ prefill: 'trailing', echoes: true, logprobs: true });
    expect(test.findings.prefill.can).toBe(true);
    expect(test.findings.prefill.how).toMatch(/given back in front of what is added, and taken off.*: 3 of 3/);
    const [open] = samples.prompts;
    const how = { maxTokens: 3, temperature: 0, seed: 1, samples: 1, tokensOfFirst: 1 };
    const [[reply] = []] = await model.reply(
      [[...open!, { role: 'assistant', text: ' aa bb', origin: 'injected' }]],
      how,
    );
    expect(reply?.text).toMatch(/^( [a-z]{4}){3}$/);
    expect(reply?.tokens?.map(({ text }) => text).join('')).toBe(reply?.text);
  });

  it('does not take a server that begins anew for one that gives the open turn back', async () => {
    const { test } = await tested({ startsAnew: true });
    expect(test.findings.prefill).toEqual({ can: false, how: 'an open turn is not gone on with' });
  });

  it('tells seeds that hold one after another from seeds that are ignored', async () => {
    const { test } = await tested({ seedAlone: true });
    expect(test.findings.seed.can).toBe(false);
    expect(test.findings.seed.how).toMatch(
      /^not repeatable under load: equal seeds gave equal replies one after another/,
    );
  });

  it('reads the length of the context of the only model listed, whatever its name', async () => {
    const card = { id: '/models/some-file.gguf', meta: { n_ctx: 2048, n_ctx_train: 8192 } };
    const toy = toyServer({});
    stub = await StubServer.start((seen, response, nth) =>
      seen.path.endsWith('/models') ? { data: [card] } : toy(seen, response, nth),
    );
    const { test } = await modelAt(`${stub.url}/v1#toy`);
    expect(test.findings.max_context).toEqual({ can: true, how: '2048 tokens' });
  });

  it('tells of requests that are sent again, with the reason', async () => {
    const toy = toyServer({ prefill: 'trailing' });
    stub = await StubServer.start((seen, response, nth) =>
      nth === 1 && !seen.path.endsWith('/models')
        ? sendJson(response, 503, { error: { message: 'still loading' } })
        : toy(seen, response, nth),
    );
    const told: string[] = [];
    await modelAt(`${stub.url}/v1#toy`, { onRetry: (line) => told.push(line) });
    expect(told).toEqual([expect.stringMatching(/503.*still loading/)]);
  });

  it('passes over a dialect that the server refuses', async () => {
    const { test } = await tested({
      prefill: 'trailing',
      refuses: ['continue_final_message', 'logprobs', 'n', 'stop'],
    });
    expect(test.dialect.prefill).toBe('prefix'); // which this server ignores, and goes on all the same
    expect(test.findings.own_logprobs.how).toBe('refused');
    expect(test.findings.n.how).toMatch(/^refused/);
    expect(test.findings.stop.how).toBe('refused');
  });

  it('finds seeds, n, stop, logprobs of the reply and of the prompt', async () => {
    const toy = { prefill: 'continue_final_message', seed: true, n: true, stop: true, logprobs: true } as const;
    const { test, model } = await tested({ ...toy, promptLogprobs: true });
    expect(able(test)).toEqual([
      'prefill',
      'own_logprobs',
      'prompt_logprobs',
      'seed',
      'temperature',
      'n',
      'stop',
      'turns_in_a_row',
    ]);
    const [tokens] = await model.logprobs([{ conversation: samples.prompts[0]!, continuation: ' abcd efgh' }]);
    expect(tokens).toEqual([
      { text: ' abcd', logprob: -0.5, topLogprob: -0.1 },
      { text: ' efgh', logprob: -0.5, topLogprob: -0.1 },
    ]);
  });

  it('goes on by completions, and reads their echo, where a chat template is lent', async () => {
    const { test, model } = await tested({ completions: true, logprobs: true }, true);
    expect(test.findings.prefill.how).toMatch(/^by completions: 3 of 3/);
    expect(test.findings.prompt_logprobs.how).toBe('by completions with echo');
    const [tokens] = await model.logprobs([{ conversation: samples.prompts[0]!, continuation: ' abcd' }]);
    expect(tokens).toEqual([{ text: ' abcd', logprob: -0.5, topLogprob: -0.1 }]);
    const how = { maxTokens: 40, temperature: 0, seed: 1, samples: 1 };
    await model.reply([samples.prompts[0]!], how);
    expect(stub.asked.at(-1)!.path).toBe('/v1/completions');
  });

  it('learns the fields that a server refuses, and leaves them out', async () => {
    const { test } = await tested({ refuses: ['temperature', 'seed'] });
    expect(test.dialect).toMatchObject({ temperature: false, seed: false });
    expect(stub.asked.at(-1)!.body).not.toHaveProperty('temperature');
  });

  it('merges turns of one role where the template refuses them', async () => {
    const { test } = await tested({ alternates: true });
    expect(test.findings.turns_in_a_row).toEqual({
      can: false,
      how: 'refused: turns of one role in a row are sent as one',
    });
  });

  it('an open turn is refused where none is gone on with', async () => {
    const { model } = await tested({});
    const open = [...samples.prompts[0]!, { role: 'assistant', text: ' abcd', origin: 'injected' }] as const;
    const asking = model.reply([open], { maxTokens: 10, temperature: 0, seed: 1, samples: 1 });
    await expect(asking).rejects.toThrow('an open turn is not gone on with');
  });
});
