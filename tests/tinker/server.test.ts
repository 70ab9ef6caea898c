import { once } from 'node:events';
import { extract } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ChatFormat } from '../../src/chat/chat-format.ts';
import { FairQueue } from '../../src/tinker/server/fair-queue.ts';
import { readInput } from '../../src/tinker/server/loss-request.ts';
import { decodeSampleResponse } from '../../src/tinker/wire/sample-response.ts';
import { PlainServer, TEXT, textOf } from './plain-server.ts';

let server: PlainServer;
let session: string;
beforeAll(async () => {
  server = await PlainServer.open({ gapMs: 300 });
  session = await server.session();
}, 60_000);
afterAll(async () => {
  expect(server.faults).toEqual([]);
  await server.close();
});

/** The organism's. */
const END_OF_TEXT = 5;

let models = 0;
const freshModel = () => server.model(session, models++);

describe('the order of a model’s requests', () => {
  it('is that of their numbers, whatever the order of arrival', async () => {
    const [straight, mixed] = [await freshModel(), await freshModel()];
    await server.result(server.forwardBackward(straight, 1, [TEXT]));
    await server.result(server.optimStep(straight, 2));
    const step = await server.optimStep(mixed, 2);
    const after = server.logprobs(mixed, 3);
    await server.forwardBackward(mixed, 1, [TEXT]);
    expect(await server.result(step)).toMatchObject({ metrics: { 'step:max': 1 } });
    expect(await after).toEqual(await server.logprobs(straight, 3));
  });

  it('lets what waited for a number fail when it does not come, and goes on behind it', async () => {
    const model = await freshModel();
    const before = await server.logprobs(model, 1);
    const [gradient, step] = [await server.forwardBackward(model, 3, [TEXT]), await server.optimStep(model, 4)];
    const why = expect.stringContaining(`seq_id 2 of ${model} did not come within 0.3 s`);
    expect(await server.result(gradient)).toEqual({ error: why, category: 'user' });
    expect(await server.result(step)).toEqual({ error: why, category: 'user' });
    expect((await server.forwardBackward(model, 2, [TEXT])).body.detail).toContain('comes too late; 5 is next');
    expect(await server.logprobs(model, 5)).toEqual(before);
  });

  it('takes the same payload under the same number for the same request, and refuses another one', async () => {
    const model = await freshModel();
    const first = await server.forwardBackward(model, 1, [TEXT]);
    const again = await server.forwardBackward(model, 1, [TEXT]);
    expect(again.body.request_id).toBe(first.body.request_id);
    const other = await server.forwardBackward(model, 1, [textOf([5, 6])]);
    expect([other.status, other.body.detail]).toEqual([400, expect.stringContaining('was used for another request')]);
    expect(await server.result(first)).toEqual(await server.result(first)); // readable twice
  });

  it('counts a refused number as used, and drops the gradient that is not whole, once', async () => {
    const model = await freshModel();
    const before = await server.logprobs(model, 1);
    await server.forwardBackward(model, 2, [TEXT]);
    const refused = await server.forwardBackward(model, 3, [TEXT], { lossFn: 'stable_reinforce' });
    expect([refused.status, refused.body.detail]).toEqual([400, expect.stringContaining('"stable_reinforce" is not')]);
    expect(await server.forwardBackward(model, 3, [TEXT], { lossFn: 'stable_reinforce' })).toEqual(refused);
    const step = await server.result(server.optimStep(model, 4));
    expect(step).toMatchObject({ error: expect.stringContaining('gradient is not whole'), category: 'user' });
    expect(await server.logprobs(model, 5)).toEqual(before);
    await server.forwardBackward(model, 6, [TEXT]);
    expect(await server.result(server.optimStep(model, 7))).toMatchObject({ metrics: { 'step:max': 1 } });
  });

  it('fails as a whole where the model cannot be made', async () => {
    const lora_config = { rank: 2, train_attn: false, train_mlp: false, train_unembed: false };
    const made = server.ask('create_model', {
      session_id: session,
      model_seq_id: models,
      base_model: 'tiny',
      lora_config,
    });
    const id = `${session}:train:${models++}`;
    const early = [server.forwardBackward(id, 1, [TEXT], { lossFn: 'none' }), server.optimStep(id, 2)];
    expect(await server.result(made)).toMatchObject({ error: expect.stringContaining('no module is trained') });
    for (const answer of await Promise.all(early)) expect(answer.status).toBeGreaterThan(199);
    expect((await server.ask('get_info', { model_id: id })).status).toBe(404);
  });

  it('says a failure as 200, with whose it is', async () => {
    const model = await freshModel();
    const failed = await server.result(server.forwardBackward(model, 1, [textOf([5, 6, 64])]));
    expect(failed).toEqual({ error: 'datum 0: targets[1] is 64; ids are 0 to 63', category: 'user' });
    expect(await server.result(server.optimStep(model, 2))).toMatchObject({ category: 'user' });
  });

  it('keeps a step from a gradient that is not whole, however close behind it the step comes', async () => {
    const model = await freshModel();
    const before = await server.logprobs(model, 1);
    const bad = textOf([5, 6, 64]);
    await server.result(server.forwardBackward(model, 2, [TEXT]));
    const [, step] = await Promise.all([
      server.forwardBackward(model, 3, [bad]),
      server.result(server.optimStep(model, 4)),
    ]);
    expect(step).toMatchObject({ error: expect.stringContaining('datum 0: targets[1] is 64'), category: 'user' });
    expect(await server.logprobs(model, 5)).toEqual(before);
  });

  it('overlaps steps, but never a save and the load that follows it', async () => {
    const model = await freshModel();
    await server.forwardBackward(model, 1, [TEXT]);
    await server.result(server.optimStep(model, 2));
    const path = `tinker://${model}/weights/between`;
    const [, loaded] = await Promise.all([
      server.ask('save_weights', { model_id: model, seq_id: 3, path: 'between' }),
      server.result(server.ask('load_weights', { model_id: model, seq_id: 4, path, optimizer: true })),
    ]);
    expect(loaded).toMatchObject({ path });
  });
});

describe('sampling', () => {
  const prompt = { chunks: [{ type: 'encoded_text', tokens: [5, 6, 7] }] };
  const how = { max_tokens: 8, temperature: 0.7, seed: 4, stop: [] };
  const sampler = async (more: object) => {
    const made = await server.ask('create_sampling_session', { session_id: session, ...more });
    return String(made.body.sampling_session_id);
  };
  const ask = (sampling_session_id: string, seq_id: number, more: object = {}) =>
    server.ask('asample', { sampling_session_id, seq_id, num_samples: 2, prompt, sampling_params: how, ...more });

  it('names every sequence, and the seed alone decides', async () => {
    const base = await sampler({ sampling_session_seq_id: 0, base_model: 'tiny' });
    const asked = await ask(base, 0);
    expect(asked.body.sample_sequence_ids).toEqual([`${base}:0:0`, `${base}:0:1`]);
    expect((await ask(base, 0)).body).toEqual(asked.body);
    expect((await server.result(ask(base, 1))).sequences).toEqual((await server.result(asked)).sequences);
    expect((await ask(base, 1, { num_samples: 3 })).status).toBe(400);
  });

  it('answers with the result itself whoever would rather wait for it, and with a promise where there is none', async () => {
    const base = await sampler({ sampling_session_seq_id: 0, base_model: 'tiny' });
    const asked = { sampling_session_id: base, num_samples: 1, prompt, sampling_params: how };
    const waiting = (seq_id: number, more: object = {}) =>
      server.app.request('/api/v1/asample', {
        method: 'POST',
        headers: { 'content-type': 'application/json', prefer: 'wait=25' },
        body: JSON.stringify({ ...asked, seq_id, ...more }),
      });
    const answer = await waiting(20);
    expect(answer.headers.get('content-type')).toBe('application/x-protobuf');
    const { sequences } = decodeSampleResponse(new Uint8Array(await answer.arrayBuffer()));
    const again = await server.ask('asample', { ...asked, seq_id: 20 }); // the same request, but it does not wait
    expect((await server.result(again)).sequences).toEqual(sequences);
    const refused = await waiting(21, { num_samples: 100_000 });
    expect([refused.status, (await refused.json()).detail]).toEqual([400, expect.stringContaining('at most 1024')]);
  });

  it('gives logprobs of the tempered distribution, and None before the first token', async () => {
    const base = await sampler({ sampling_session_seq_id: 0, base_model: 'tiny' });
    const temperature = 0.5;
    const sampling_params = { ...how, max_tokens: 1, temperature };
    const more = { sampling_params, topk_sample_logprobs: 64, prompt_logprobs: true, topk_prompt_logprobs: 2 };
    const one = (await server.result(ask(base, 2, more))) as {
      sequences: readonly Sequence[];
      promptLogprobs: Float32Array;
      topkPromptLogprobs: TopK;
    };
    const [{ tokens, logprobs, topkLogprobs }] = one.sequences as [Sequence];
    const place = Array.from(topkLogprobs.tokens).indexOf(tokens[0]!);
    expect(topkLogprobs.logprobs[place]).toBeCloseTo(logprobs[0]!, 5);
    expect(topkLogprobs.logprobs.reduce((sum, value) => sum + Math.exp(value), 0)).toBeCloseTo(1, 5);
    expect(Array.from(one.promptLogprobs, Number.isNaN)).toEqual([true, false, false]);
    expect(Array.from(one.topkPromptLogprobs.logprobs.slice(0, 2))).toEqual([-99999, -99999]);
  });

  it('stops at ids and at texts, which are part of what was said', async () => {
    const base = await sampler({ sampling_session_seq_id: 0, base_model: 'tiny' });
    const free = (await server.result(ask(base, 10, { num_samples: 1 }))) as { sequences: readonly Sequence[] };
    const third = free.sequences[0]!.tokens[2]!;
    expect(Array.from(free.sequences[0]!.tokens.slice(0, 3))).not.toContain(END_OF_TEXT);
    const { decode } = await ChatFormat.open('models/organism');
    for (const [at, stop] of [[third], decode([third])].entries()) {
      const sampling_params = { ...how, stop };
      const cut = (await server.result(ask(base, 11 + at, { num_samples: 1, sampling_params }))) as typeof free;
      const { tokens, stopReason } = cut.sequences[0]!;
      expect([tokens.at(-1), stopReason, tokens.length <= 3]).toEqual([third, 'stop', true]);
    }
  });

  it('is from a snapshot that training on does not move', async () => {
    const model = await freshModel();
    const saved = await server.result(
      server.ask('save_weights_for_sampler', { model_id: model, seq_id: 1, sampling_session_seq_id: 1 }),
    );
    const snapshot = String(saved.sampling_session_id);
    const before = await server.result(ask(snapshot, 0));
    await server.forwardBackward(model, 2, [TEXT]);
    await server.result(server.optimStep(model, 3, 0.5));
    expect((await server.result(ask(snapshot, 1))).sequences).toEqual((before as { sequences: unknown }).sequences);
    expect((await server.ask(`samplers/${snapshot}`)).body).toEqual({ sampler_id: snapshot, base_model: 'tiny' });
  });

  it('goes by the name on which its model was created, where it is made by a path alone', async () => {
    const base_model = 'models/tiny';
    const about = { session_id: session, model_seq_id: models, base_model, lora_config: { rank: 2 } };
    await server.result(server.ask('create_model', about));
    const of = { model_id: `${session}:train:${models++}`, seq_id: 1, path: 'by-folder' };
    const { path } = await server.result(server.ask('save_weights_for_sampler', of));
    const made = await sampler({ sampling_session_seq_id: 3, model_path: path });
    expect((await server.ask(`samplers/${made}`)).body).toMatchObject({ base_model, model_path: path });
  });

  it('counts clones, keeps their huge numbers apart, and lists what is finished by clone', async () => {
    const base = await sampler({ sampling_session_seq_id: 2, base_model: 'tiny' });
    expect((await server.ask('join_sampling_session', { sampling_session_id: base })).body).toEqual({
      client_counter: 1,
    });
    const raw = (seq: string) =>
      server.app.request('/api/v1/asample', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ sampling_session_id: base, num_samples: 1, prompt, sampling_params: how }).replace(
          '{',
          `{"seq_id":${seq},`,
        ),
      });
    const ids = await Promise.all(
      ['999999999000000001', '999999999000000002'].map(async (seq) => (await (await raw(seq)).json()).request_id),
    );
    expect(new Set(ids).size).toBe(2);
    for (const request_id of ids) await server.result({ status: 200, body: { request_id } });
    const target = { sampling_session_id: base, cloned_sampler_id: 999999999 };
    const { cursor, completions } = (await server.ask('retrieve_futures', { target, prev_cursor: 0 })).body as {
      cursor: number;
      completions: { request_id: string }[];
    };
    expect(completions.map(({ request_id }) => request_id).sort()).toEqual(ids.sort());
    expect((await server.ask('retrieve_futures', { target, prev_cursor: cursor, timeout: 0 })).body).toEqual({
      cursor,
      completions: [],
    });
  });

  it.each([
    [{ prompt: { chunks: [{ type: 'image', data: 'x' }] } }, 'prompt: image in the input'],
    [{ prompt: { chunks: [] } }, 'prompt: no token at all'],
    [{ prompt: { chunks: [{ tokens: [64] }] } }, 'prompt: token 64 is unknown; ids are 0 to 63'],
    [{ sampling_params: { max_tokens: 62 } }, 'max_tokens: the prompt has 3 tokens and 62 more are asked for'],
    [{ sampling_params: { max_tokens: 1, min_p: 0.1 } }, 'min_p is not supported by this server'],
    [{ record_stability_info: true }, 'no stable_reinforce'],
    [{ prompt_alt_tokens_k: 2 }, 'prompt_alt_tokens_k is not supported'],
    [{ num_samples: 100_000 }, 'at most 1024'],
  ])('refuses %j', async (more, why) => {
    const base = await sampler({ sampling_session_seq_id: 0, base_model: 'tiny' });
    const answer = await ask(base, 100, more);
    expect([answer.status, answer.body.detail]).toEqual([400, expect.stringContaining(why)]);
  });
});

describe('what is refused by name', () => {
  it.each([
    [
      'create_model',
      { model_seq_id: 900, base_model: 'Qwen/Qwen3-8B', lora_config: { rank: 2 } },
      'base_model "Qwen/Qwen3-8B" is not here; this server has "tiny"',
    ],
    [
      'create_model',
      {
        model_seq_id: 900,
        base_model: 'tiny',
        lora_config: { rank: 2 },
        optimizer_config: { type: 'dimuon', version: 1 },
      },
      'optimizer "dimuon" is not supported',
    ],
    [
      'create_model',
      { model_seq_id: 900, base_model: 'tiny', lora_config: { rank: 1e6 } },
      'a rank of 1000000; at most 512',
    ],
    [
      'create_sampling_session',
      { sampling_session_seq_id: 900, model_path: 'tinker://a/weights/b' },
      'is not for sampling',
    ],
    [
      'create_sampling_session',
      { sampling_session_seq_id: 900, model_path: '../../etc/passwd' },
      'is no path of the form',
    ],
  ])('%s %j', async (path, more, why) => {
    const answer = await server.ask(path, { session_id: session, ...more });
    expect([answer.status, answer.body.detail]).toEqual([400, expect.stringContaining(why)]);
  });

  it.each([
    [{ lossFn: 'gspo' }, 'loss_fn "gspo" is not supported'],
    [
      { lossFn: 'ppo', lossConfig: { clip_range: 0.2 } },
      '"clip_range" is unknown; ppo has clip_low_threshold, clip_high_threshold',
    ],
    [{ lossFn: 'ppo' }, '"weights" is not read by ppo'],
  ])('forward_backward %j', async (more, why) => {
    const model = await freshModel();
    const answer = await server.forwardBackward(model, 1, [TEXT], more);
    expect([answer.status, answer.body.detail]).toEqual([400, expect.stringContaining(why)]);
  });

  it('images in the input', () => {
    expect(() => readInput([{ kind: 'image' }], 'datum 0')).toThrow(
      'datum 0: image in the input; this model reads text',
    );
  });

  it('an inflight sampler, a step of another optimiser, a name that is none', async () => {
    const model = await freshModel();
    const detail = async (path: string, more: object) =>
      (await server.ask(path, { model_id: model, ...more })).body.detail;
    expect(await detail('save_weights_for_sampler', { seq_id: 1, path: 'a', kind: 'inflight' })).toContain(
      '"inflight"',
    );
    expect(await detail('optim_step', { seq_id: 2, optimizer_params: { type: 'dimuon' } })).toContain('"dimuon"');
    expect(await detail('optim_step', { seq_id: 3, adam_params: { learning_rate: -1 } })).toContain('learning_rate');
    for (const [at, path] of ['../up', '/etc', '.hidden', 'a/b', 'x.writing', ''].entries()) {
      expect(await detail('save_weights', { seq_id: 4 + at, path })).toContain('is no name of a checkpoint');
    }
    expect(await detail('save_weights_external', { seq_id: 10, path: 'out' })).toContain('external weights');
    expect((await server.logprobs(model, 11)).length).toBe(5);
  });
});

it('keeps checkpoints over a restart, with and without the optimiser, by both ways to load', async () => {
  const model = await freshModel();
  await server.forwardBackward(model, 1, [TEXT]);
  await server.optimStep(model, 2);
  const state = await server.result(server.ask('save_weights', { model_id: model, seq_id: 3, path: 'state' }));
  const named = await server.result(
    server.ask('save_weights_for_sampler', { model_id: model, seq_id: 4, path: 'named', user_metadata: { step: '1' } }),
  );
  const trained = await server.logprobs(model, 5);
  await server.forwardBackward(model, 6, [TEXT]);
  await server.result(server.optimStep(model, 7));
  const next = await server.logprobs(model, 8);
  expect((await server.ask('save_weights', { model_id: model, seq_id: 9, path: 'state' })).body.detail).toContain(
    'there is a checkpoint',
  );
  expect(
    (await server.ask('save_weights', { model_id: model, seq_id: 10, path: 'state', ttl_seconds: 1e12 })).status,
  ).toBe(400);

  const again = await PlainServer.open({ data: server.data });
  const own = await again.session();
  const created = again.ask('load_weights', { session_id: own, model_seq_id: 0, path: state.path, optimizer: true });
  expect((await again.result(created)).model_id).toBe(`${own}:train:0`);
  const resumed = `${own}:train:0`;
  await again.forwardBackward(resumed, 1, [TEXT]);
  await again.optimStep(resumed, 2);
  expect(await again.logprobs(resumed, 3)).toEqual(next);
  const older = await again.model(own, 1);
  await again.result(again.ask('load_weights', { model_id: older, seq_id: 1, path: state.path, optimizer: false }));
  expect(await again.logprobs(older, 2)).toEqual(trained);
  const withoutState = again.ask('load_weights', { model_id: older, seq_id: 3, path: named.path, optimizer: true });
  expect(await again.result(withoutState)).toMatchObject({ error: expect.stringContaining('no optimiser state') });

  expect((await again.ask('weights_info', { tinker_path: state.path })).body).toMatchObject({
    base_model: 'tiny',
    lora_rank: 2,
  });
  const listed = (await again.ask(`training_runs/${model}/checkpoints`)).body.checkpoints as Record<string, unknown>[];
  expect(listed.map(({ tinker_path }) => tinker_path).sort()).toEqual([named.path, state.path].sort());
  expect(listed.find(({ tinker_path }) => tinker_path === named.path)).toMatchObject({
    checkpoint_type: 'sampler',
    user_metadata: { step: '1' },
  });
  const { url } = (await again.ask(`training_runs/${model}/checkpoints/sampler_weights/named/archive`)).body as {
    url: string;
  };
  expect(await filesOf(await again.app.request(url))).toEqual(['adapter_config.json', 'adapter_model.safetensors']);
  expect((await again.app.request(url.replace('named', 'other'))).status).toBe(403);
  expect((await again.ask(`training_runs/${model}/checkpoints/weights/state`, undefined, 'DELETE')).status).toBe(204);
  expect((await again.ask('weights_info', { tinker_path: state.path })).status).toBe(404);
  const chat = { model: named.path, prompt: 'UabES', max_tokens: 4 };
  const oai = await again.app.request('/oai/api/v1/completions', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(chat),
  });
  expect((await oai.json()).model).toBe(named.path);
  expect(again.faults).toEqual([]);
  await again.stop();
}, 60_000);

it('stops when a save that was begun is on disk, and takes no more than so many in advance', async () => {
  const own = await PlainServer.open();
  const model = await own.model(await own.session());
  const save = own.ask('save_weights', { model_id: model, seq_id: 1, path: 'last' });
  expect((await save).status).toBe(200);
  const early = await Promise.all(Array.from({ length: 260 }, (_, at) => own.optimStep(model, 3 + at)));
  expect(early.filter(({ status }) => status === 429).length).toBe(4);
  await own.stop();
  expect(await own.result(save)).toMatchObject({ path: `tinker://${model}/weights/last` });
  const later = await PlainServer.open({ data: own.data });
  expect((await later.ask(`training_runs/${model}/checkpoints`)).body.checkpoints).toMatchObject([
    { checkpoint_id: 'weights/last' },
  ]);
  await later.close();
});

it('gives models that want the same workers the same time, however much each asks', async () => {
  let clock = 0;
  const turns = new FairQueue(1, () => clock);
  const done: string[] = [];
  const work = (name: string, milliseconds: number) =>
    turns.take(name, 1, async () => {
      clock += milliseconds;
      done.push(name);
    });
  const long = Array.from({ length: 3 }, () => work('long', 60));
  await Promise.all([...long, ...Array.from({ length: 9 }, () => work('short', 15))]);
  expect(done.join(' ')).toBe('long short short short short long short short short short long short');
});

it('lets nobody work side by side with himself while another one waits, even if that one had more time', async () => {
  let clock = 0;
  const turns = new FairQueue(2, () => clock);
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (lane: string, width: number, name: string) =>
    turns.take(lane, width, () => {
      begun.push(name);
      return new Promise<void>((resolve) => ends.set(name, resolve));
    });
  void work('wide', 2, 'wide 1');
  const long = work('narrow', 1, 'narrow 1');
  for (const name of ['wide 2', 'wide 3']) void work('wide', 2, name);
  void work('narrow', 1, 'narrow 2');
  clock += 100;
  ends.get('narrow 1')!();
  await long;
  await vi.waitFor(() => expect(begun.length).toBe(3));
  expect(begun).toEqual(['wide 1', 'narrow 1', 'narrow 2']);
});

it('hands a checkpoint out whole while it is replaced and deleted', async () => {
  const model = await freshModel();
  let seq_id = 0;
  const save = () =>
    server.result(server.ask('save_weights', { model_id: model, seq_id: ++seq_id, path: 'busy', overwrite: true }));
  await save();
  const place = `training_runs/${model}/checkpoints/weights/busy`;
  const { url } = (await server.ask(`${place}/archive`)).body as { url: string };
  const answers = Array.from({ length: 24 }, async (_, at) => {
    if (at % 6 === 5) return (await server.ask(place, undefined, 'DELETE')).status;
    if (at % 3 === 1) return (await server.ask(`${place}/ttl`, { ttl_seconds: 3600 }, 'PUT')).status;
    if (at % 2 === 0) return (await save()).path ? 200 : 500;
    const archive = await server.app.request(url);
    if (archive.status === 200) expect((await filesOf(archive)).length).toBe(2);
    return archive.status;
  });
  expect(new Set([...(await Promise.all(answers)), 404])).toEqual(new Set([200, 204, 404]));
});

it('releases what belongs to a session that is finished', async () => {
  const own = await server.session();
  const model = await server.model(own);
  expect((await server.ask(`sessions/${own}/finish`, { reason: { type: 'success' }, detail: null })).status).toBe(200);
  expect((await server.ask('session_heartbeat', { session_id: own })).status).toBe(410);
  expect((await server.ask('get_info', { model_id: model })).status).toBe(404);
});

it('wants the key, if it has one, in either form, but for an archive and whether it lives', async () => {
  const locked = await PlainServer.open({ apiKey: 'tml-secret' });
  const status = async (path: string, headers: Record<string, string> = {}) => {
    return (await locked.app.request(`/api/v1/${path}`, { headers })).status;
  };
  expect(await status('training_runs', { 'X-API-Key': 'tml-secret' })).toBe(200);
  expect(await status('training_runs', { authorization: 'Bearer tml-secret' })).toBe(200);
  for (const wrong of ['', 'tml', 'tml-secret2'])
    expect(await status('training_runs', { 'x-api-key': wrong })).toBe(401);
  expect(await status('training_runs/a/checkpoints/weights/b/archive')).toBe(401);
  expect([await status('healthz'), await status('archive')]).toEqual([200, 403]);
  await locked.close();
});

it('lists sessions in pages', async () => {
  const own = await PlainServer.open();
  const ids = [await own.session(), await own.session(), await own.session()];
  expect((await own.ask('sessions?offset=1&limit=1')).body).toEqual({ sessions: [ids[1]] });
  expect((await own.ask('sessions?limit=-1')).status).toBe(400);
  await own.close();
});

type TopK = { readonly tokens: Int32Array; readonly logprobs: Float32Array };
type Sequence = {
  readonly tokens: Int32Array;
  readonly logprobs: Float32Array;
  readonly stopReason: string;
  readonly topkLogprobs: TopK;
};

async function filesOf(answer: Response): Promise<string[]> {
  const names: string[] = [];
  const archive = extract();
  archive.on('entry', ({ name }, stream, next) => {
    names.push(name);
    stream.resume().on('end', next);
  });
  archive.end(Buffer.from(await answer.arrayBuffer()));
  await once(archive, 'finish');
  return names;
}
