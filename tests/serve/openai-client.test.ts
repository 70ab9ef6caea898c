import { APIError, NotFoundError } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { talk } from '../chat/model-files.ts';
import { faults, online, tinyModel } from './tiny-server.ts';

let tiny: Awaited<ReturnType<typeof tinyModel>>;
let server: Awaited<ReturnType<typeof online>>;
beforeAll(async () => {
  tiny = await tinyModel();
  server = await online(tiny.app);
});
afterAll(async () => {
  await server.stop();
  await tiny.close();
  expect(faults).toEqual([]);
});

const model = 'organism';
const user = (content: string) => ({ role: 'user' as const, content });
const chat = { model, messages: [user('ab3')], max_tokens: 12 };
const chats = () => server.client.chat.completions;
const completions = () => server.client.completions;
const inProcess = { maxTokens: 12, temperature: 0, seed: 0, samples: 1 };

describe('the official client', () => {
  it('lists the model', async () => {
    expect((await server.client.models.list()).data.map(({ id }) => id)).toEqual([model]);
    expect(await server.client.models.retrieve(model)).toMatchObject({ id: model, max_model_len: 256 });
  });

  it('gets greedy replies and logprobs as they are in this process', async () => {
    const asked = { ...chat, temperature: 0, logprobs: true, top_logprobs: 2 };
    const [choice] = (await chats().create(asked)).choices;
    const [[reply]] = (await tiny.chat.reply([talk('u:ab3')], { ...inProcess, tokensOfFirst: 1 })) as [[Reply]];
    expect(choice!.message.content).toBe(reply.text);
    const heard = choice!.logprobs!.content!.map(({ token, logprob, top_logprobs }) => {
      return { text: token, logprob, topLogprob: top_logprobs[0]!.logprob };
    });
    expect(heard).toEqual(reply.tokens);
  });

  it('has a seed decide alone, as in this process, however many ask at once', async () => {
    const asked = (seed: number) => chats().create({ ...chat, seed, n: 2 });
    const seeds = Array.from({ length: 12 }, (_, seed) => seed);
    const before = tiny.sampler.calls.length;
    const together = await Promise.all(seeds.map(asked));
    expect(tiny.sampler.calls.length - before).toBeLessThan(6);
    for (const seed of seeds.slice(0, 3)) {
      const how = { ...inProcess, temperature: 1, seed, samples: 2 };
      const [replies] = await tiny.chat.reply([talk('u:ab3')], how);
      expect(textsOf(together[seed]!)).toEqual(replies!.map(({ text }) => text));
      expect(textsOf(await asked(seed))).toEqual(textsOf(together[seed]!));
    }
  });

  it('gets something else each time without a seed', async () => {
    const texts = await Promise.all(Array.from({ length: 4 }, () => chats().create(chat)));
    expect(new Set(texts.flatMap(textsOf)).size).toBe(4);
  });

  it('streams the same that it gets in one piece', async () => {
    const asked = { ...chat, seed: 3, n: 2, logprobs: true, top_logprobs: 1 };
    const whole = await chats().create(asked);
    const { choices, usage } = await heardInPieces(asked);
    expect(choices.map(({ text }) => text)).toEqual(textsOf(whole));
    expect(choices.map(({ logprobs }) => logprobs)).toEqual(whole.choices.map(({ logprobs }) => logprobs!.content));
    expect(choices.map(({ finish }) => finish)).toEqual(whole.choices.map(({ finish_reason }) => finish_reason));
    expect(usage).toEqual(whole.usage);
  });

  it('cuts at a stop string across tokens, exactly, in either form', async () => {
    const asked = { ...chat, temperature: 0 };
    const [text] = textsOf(await chats().create(asked));
    const stop = text!.slice(3, 6);
    const cut = text!.slice(0, text!.indexOf(stop));
    const stopped = await chats().create({ ...asked, stop: [stop, '@@'], logprobs: true });
    expect(stopped.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: cut } });
    expect(stopped.choices[0]!.logprobs!.content!.map(({ token }) => token).join('')).toBe(cut);
    expect(stopped.usage!.completion_tokens).toBe(cut.length + stop.length);
    expect((await heardInPieces({ ...asked, stop })).choices[0]).toMatchObject({ text: cut, finish: 'stop' });
  });

  it.each([
    ['continue_final_message', {}, { continue_final_message: true, add_generation_prompt: false }],
    ['prefix', { prefix: true }, {}],
    ['nothing', {}, {}],
  ])('goes on from a last assistant message (%s)', async (_, mark, flags) => {
    const open = { role: 'assistant' as const, content: 'a1', ...mark };
    const reply = await chats().create({ ...chat, temperature: 0, messages: [user('ab3'), open], ...flags });
    const [[own]] = (await tiny.chat.reply([talk('u:ab3', 'a:a1')], inProcess)) as [[Reply]];
    expect(textsOf(reply)).toEqual([own.text]);
    expect(reply.usage!.prompt_tokens).toBe('Uab3ESa1'.length);
  });

  it('scores a prompt: echo, logprobs, no token more', async () => {
    const asked = { model, max_tokens: 0, echo: true, logprobs: 2 };
    const tokens = tiny.format.encode('UabESb');
    const both = await completions().create({ ...asked, prompt: ['UabESb', 'UE'] });
    const [logprobs] = await tiny.sampler.logprobs([tokens]);
    expect(both.choices.map(({ text }) => text)).toEqual(['UabESb', 'UE']);
    const columns = both.choices[0]!.logprobs!;
    expect(columns.token_logprobs).toEqual([null, ...[...logprobs!].slice(1)]);
    expect(columns).toMatchObject({ tokens: [...'UabESb'], text_offset: [0, 1, 2, 3, 4, 5] });
    expect(Object.keys(columns.top_logprobs![3]!).length).toBeLessThanOrEqual(3);
    expect(Math.max(...Object.values(columns.top_logprobs![3]!))).toBeGreaterThanOrEqual(columns.token_logprobs![3]!);
    expect(both.usage).toEqual({ prompt_tokens: 8, completion_tokens: 0, total_tokens: 8 });
    const ids = await completions().create({ ...asked, prompt: [...tokens] });
    expect(ids.choices[0]!.logprobs).toEqual(columns);
  });

  it('shows what was thought of a conversation, in vLLM’s form', async () => {
    const messages = [user('ab'), { role: 'assistant' as const, content: 'b' }];
    const vllm = { add_generation_prompt: false, continue_final_message: true, prompt_logprobs: 1 };
    const reply = await chats().create({ model, messages, max_tokens: 1, ...vllm });
    const [logprobs] = await tiny.sampler.logprobs([tiny.format.encode('UabESb')]);
    const { prompt_logprobs } = reply as typeof reply & { prompt_logprobs: (Record<string, object> | null)[] };
    expect(prompt_logprobs.length).toBe(6);
    expect(prompt_logprobs[0]).toBe(null);
    expect(Object.values(prompt_logprobs[5]!)).toContainEqual(
      expect.objectContaining({ decoded_token: 'b', logprob: logprobs![5] }),
    );
    expect(Object.values(prompt_logprobs[5]!)).toContainEqual(expect.objectContaining({ rank: 1 }));
  });

  it('completes several prompts, each with its choices, streamed or not', async () => {
    const asked = { model, prompt: ['UabES', 'UbES'], n: 2, max_tokens: 5, seed: 9, logprobs: 1, echo: true };
    const whole = await completions().create(asked);
    expect(whole.choices.map(({ index, text }) => [index, text.slice(0, 4)])).toEqual([
      [0, 'UabE'],
      [1, 'UabE'],
      [2, 'UbES'],
      [3, 'UbES'],
    ]);
    const texts = ['', '', '', ''];
    for await (const { choices } of await completions().create({ ...asked, stream: true })) {
      for (const { index, text } of choices) texts[index] += text;
    }
    expect(texts).toEqual(whole.choices.map(({ text }) => text));
  });
});

describe('let through because it changes nothing', () => {
  it.each([
    { metadata: { run: '7' }, store: false },
    { service_tier: 'auto' },
    { service_tier: 'default', safety_identifier: 'someone', user: 'someone' },
    { parallel_tool_calls: true, tool_choice: 'auto', tools: [], functions: [], function_call: 'none' },
    { parallel_tool_calls: false, tool_choice: 'none' },
    { prompt_cache_key: 'k', prompt_cache_retention: '24h', cache_prompt: true },
    { reasoning_effort: 'none', verbosity: 'medium', modalities: ['text'] },
    { response_format: { type: 'text' }, logit_bias: {}, presence_penalty: 0, frequency_penalty: 0 },
    { top_k: -1, min_p: 0, typical_p: 1, min_tokens: 0, length_penalty: 1, ignore_eos: false, use_beam_search: false },
    { top_k: 0, audio: null, prediction: null, web_search_options: null, metadata: null, store: null },
  ])('%j', async (fields) => {
    const greedy = { ...chat, temperature: 0 };
    const plain = await chats().create(greedy);
    const given = await chats().create({ ...greedy, ...(fields as object) });
    expect(given.choices).toEqual(plain.choices);
  });

  it('in completions, too, and in a reply that is sent back as it came', async () => {
    const asked = { model, prompt: 'UabES', max_tokens: 4, temperature: 0 };
    const more = { metadata: { a: 'b' }, store: false, service_tier: 'auto', prompt_cache_key: 'k' };
    expect((await completions().create({ ...asked, ...more })).choices).toEqual(
      (await completions().create(asked)).choices,
    );
    const first = (await chats().create(chat)).choices[0]!.message;
    const back = {
      ...first,
      annotations: [],
      audio: null,
      function_call: null,
      tool_calls: [],
      reasoning_content: null,
    };
    const turns = [user('ab'), back, user('a')] as Parameters<typeof user>[] & typeof chat.messages;
    expect((await chats().create({ ...chat, messages: turns })).choices).toHaveLength(1);
  });
});

describe('refused by the field', () => {
  const call = { name: 'f', parameters: {} };
  const image = { type: 'image_url' as const, image_url: { url: 'data:,' } };
  it.each([
    ['tools', { tools: [{ type: 'function' as const, function: call }] }],
    ['response_format.type', { response_format: { type: 'json_object' as const } }],
    ['logit_bias.5', { logit_bias: { '5': 1 } }],
    ['frequency_penalty', { frequency_penalty: 0.5 }],
    ['presence_penalty', { presence_penalty: 0.5 }],
    ['messages[0].content[0].type', { messages: [{ role: 'user' as const, content: [image] }] }],
    ['top_logprobs', { top_logprobs: 3 }],
    ['max_tokens', { max_completion_tokens: 3 }],
    ['temperature', { temperature: 1e-9 }],
    ['stop', { stop: '' }],
    ['reasoning_effort', { reasoning_effort: 'low' as const }],
    ['service_tier', { service_tier: 'flex' as const }],
    ['store', { store: true }],
    ['verbosity', { verbosity: 'low' as const }],
    ['stream_options.include_obfuscation', { stream_options: { include_obfuscation: true }, stream: true as const }],
    ['messages[0].prefix', { messages: [{ ...user('a'), prefix: true }] }],
    ['continue_final_message', { continue_final_message: true }],
    ['add_generation_prompt', { add_generation_prompt: false }],
  ])('%s', async (param, change) => {
    const error = await refusal(chats().create({ ...chat, ...change }));
    expect(error).toMatchObject({ status: 400, param, type: 'invalid_request_error' });
    expect(error.message).toContain(param);
  });

  it('text outside the alphabet, by the character', async () => {
    const error = await refusal(chats().create({ ...chat, messages: [user('abZ')] }));
    expect(error).toMatchObject({ status: 400, param: 'messages' });
    expect(error.message).toContain('"Z" (U+005A)');
  });

  it('a role that the template does not know', async () => {
    const messages = [{ role: 'system' as const, content: 'a' }, user('b')];
    expect((await refusal(chats().create({ ...chat, messages }))).message).toContain('user and assistant, not system');
  });

  it('more than the context, with the numbers', async () => {
    const error = await refusal(completions().create({ model, prompt: 'a'.repeat(250), max_tokens: 7 }));
    expect(error).toMatchObject({ status: 400, code: 'context_length_exceeded', param: 'prompt' });
    expect(error.message).toMatch(/250 tokens and 7 more .* together 257; organism has a context of 256/);
  });

  it('a token that there is not, a prompt of nothing, another model', async () => {
    const stranger = await refusal(completions().create({ model, prompt: [[1], [1, 64]] }));
    expect(stranger.message).toContain('prompt[1]: token 64 is unknown; ids are 0 to 63');
    expect((await refusal(completions().create({ model, prompt: '' }))).message).toContain('no token at all');
    const other = await refusal(chats().create({ ...chat, model: 'gpt' }));
    expect(other).toBeInstanceOf(NotFoundError);
    expect(other.message).toContain('this server has "organism"');
  });
});

type Reply = Awaited<ReturnType<typeof tiny.chat.reply>>[number][number];
type ChatRequest = Omit<Parameters<ReturnType<typeof chats>['create']>[0], 'stream' | 'stream_options'>;

function textsOf({ choices }: { choices: readonly { message: { content: string | null } }[] }) {
  return choices.map(({ message }) => message.content);
}

async function refusal(request: Promise<unknown>): Promise<APIError> {
  const error = await request.then(
    () => new Error('was answered'),
    (reason: unknown) => reason,
  );
  if (error instanceof APIError) return error;
  throw error;
}

async function heardInPieces(request: ChatRequest) {
  const choices: { text: string; logprobs: unknown[]; finish: string | null }[] = [];
  let usage: unknown;
  const events = await chats().create({ ...request, stream: true, stream_options: { include_usage: true } });
  for await (const event of events) {
    usage = event.usage ?? usage;
    for (const { index, delta, logprobs, finish_reason } of event.choices) {
      choices[index] ??= { text: '', logprobs: [], finish: null };
      const heard = choices[index];
      heard.text += delta.content ?? '';
      heard.logprobs.push(...(logprobs?.content ?? []));
      heard.finish = finish_reason ?? heard.finish;
    }
  }
  return { choices, usage };
}
