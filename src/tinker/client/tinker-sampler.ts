import type { Sampler, SamplingParams, Sequence, TokenIds, TopLogprobs } from '../../engine/engine.ts';
import type { Heard } from '../../engine/http/transport.ts';
import { EngineError } from '../../errors.ts';
import { stream } from '../../random.ts';
import { sampleFutureAnswer } from '../wire/answers.ts';
import { decodeSampleResponse, type SampleResponse } from '../wire/sample-response.ts';
import type { TinkerConnection } from './connection.ts';
import { Lost } from './future-poller.ts';
import { isProtobuf, PROTOBUF } from './http.ts';
import type { Rules } from './rules.ts';
import type { SampleGate } from './sample-gate.ts';

/** One request for samples, as the protocol writes it, without its number. */
type Asked = {
  readonly num_samples: number;
  readonly sampling_params: object;
  readonly prompt_logprobs?: true;
  readonly topk_prompt_logprobs?: number;
};

/** Where only the prompt is looked at: the one token that has to be sampled is the likeliest, which may be there anyway. */
const GLANCE = { max_tokens: 1, temperature: 0, top_p: 1, top_k: -1, seed: 0 };

/** The likeliest tokens of a text, with its own logprobs where somebody asks for those as well before it is sent. */
type Look = { own: boolean; readonly answer: Promise<SampleResponse> };

/** A server that knows `Prefer` (RFC 7240) answers with the result itself: one request instead of two. */
const HEADERS = {
  'X-Tinker-Sampling-Backpressure': '1',
  Prefer: 'wait=25',
  Accept: `${PROTOBUF}, application/json`,
};

/** A request whose result was lost is made anew so often. */
const ANEW = 5;

/** An immutable sampler on a server. One request a prompt; the server puts together what goes together. */
export class TinkerSampler implements Sampler {
  readonly #service: TinkerConnection;
  readonly #gate: SampleGate;
  readonly #sessionId: string;
  /** For messages: `sampler s1:sample:3 of models/organism`. */
  readonly #name: string;
  readonly #rules: Pick<Rules, 'temperedLogprobs' | 'topLogprobs'>;
  readonly #looks = new WeakMap<TokenIds, Look>();
  #next = 0;

  constructor(
    service: TinkerConnection,
    gate: SampleGate,
    sampler: { readonly sessionId: string; readonly of: string },
    rules: Pick<Rules, 'temperedLogprobs' | 'topLogprobs'>,
  ) {
    this.#service = service;
    this.#gate = gate;
    this.#sessionId = sampler.sessionId;
    this.#name = `sampler ${sampler.sessionId} of ${sampler.of}`;
    this.#rules = rules;
  }

  async sample(prompts: readonly TokenIds[], how: SamplingParams): Promise<Sequence[][]> {
    const groups = await Promise.all(prompts.map((prompt, at) => this.#group(prompt, how, seedOf(how, at))));
    if (how.logprobs === false || how.temperature === 1 || !this.#rules.temperedLogprobs) return groups;
    return this.#untempered(prompts, groups);
  }

  /** The first entry is NaN, whether the server gives it a place or not. */
  async logprobs(sequences: readonly TokenIds[]): Promise<Float32Array[]> {
    await Promise.resolve(); // whoever asks for the likeliest tokens of the same texts as well asks once
    return Promise.all(sequences.map((tokens) => this.#given(tokens)));
  }

  /** Where the server shows none, the likeliest is found by a greedy sample at each place from `from` on. */
  async topLogprobs(sequences: readonly TokenIds[], k: number, from?: readonly number[]): Promise<TopLogprobs[]> {
    if (this.#rules.topLogprobs) return Promise.all(sequences.map((tokens) => this.shownTop(tokens, k)));
    if (k === 1) return Promise.all(sequences.map((tokens, at) => this.#greedyTop(tokens, from?.[at] ?? 0)));
    throw new EngineError(`${this.#service.http.address}: ${this.#name}: shows no logprobs of likely tokens`);
  }

  /** A prompt's last token predicts what comes behind it: one token more brings that to light. */
  async shownTop(tokens: TokenIds, k: number): Promise<TopLogprobs> {
    const look: Look = { own: false, answer: Promise.resolve().then(() => this.#look(tokens, k, look.own)) };
    this.#looks.set(tokens, look);
    const { topkPromptLogprobs: top } = await look.answer;
    const given = top?.k === k ? top.length : 0;
    if (top === undefined || given < tokens.length) throw this.#broken('topk_prompt_logprobs', given);
    const first = (given - tokens.length) * k; // the first position has none, and on some servers no place
    const rows = { tokens: Int32Array.from(top.tokens), logprobs: Float32Array.from(top.logprobs) };
    return { tokens: rows.tokens.slice(first), logprobs: rows.logprobs.slice(first), k };
  }

  /** How many logprobs come for a prompt: the first has none, and on some servers no place. */
  async promptLogprobsLength(tokens: TokenIds): Promise<number> {
    return (await this.#promptLogprobs(tokens)).length;
  }

  /** One continuation, with the logprobs as they came. */
  async asDrawn(prompt: TokenIds, maxTokens: number, temperature: number): Promise<Sequence> {
    const [one] = await this.#group(prompt, { maxTokens, temperature, seed: 7, stop: [], samples: 1 }, 7);
    return one!; // one was asked for
  }

  /** Continuations for which nothing is said of stops. */
  async unstopped(prompt: TokenIds, maxTokens: number, samples: number): Promise<TokenIds[]> {
    const sampling_params = { ...GLANCE, max_tokens: maxTokens, temperature: 1.5, seed: 7 };
    const { sequences } = await this.#ask(prompt, { num_samples: samples, sampling_params });
    return sequences.map(({ tokens }) => Array.from(tokens));
  }

  #look(tokens: TokenIds, k: number, own: boolean): Promise<SampleResponse> {
    const asked = { num_samples: 1, sampling_params: GLANCE, topk_prompt_logprobs: k };
    return this.#ask([...tokens, tokens[0]!], own ? { ...asked, prompt_logprobs: true } : asked);
  }

  async #given(tokens: TokenIds): Promise<Float32Array> {
    const look = this.#looks.get(tokens);
    if (look !== undefined) look.own = true; // too late where it is sent already: then there are none in it
    const { promptLogprobs } = look === undefined ? {} : await look.answer;
    const longer = promptLogprobs === undefined ? 0 : 1;
    const given = promptLogprobs ?? (await this.#promptLogprobs(tokens));
    const length = tokens.length + longer;
    if (given.length > length || given.length < length - 1) throw this.#broken('prompt_logprobs', given.length);
    const all = new Float32Array(length);
    all.set(given, length - given.length);
    all[0] = Number.NaN;
    return all.subarray(0, tokens.length);
  }

  async #promptLogprobs(tokens: TokenIds): Promise<ArrayLike<number>> {
    const asked = { num_samples: 1, sampling_params: GLANCE, prompt_logprobs: true } as const;
    return (await this.#ask(tokens, asked)).promptLogprobs ?? [];
  }

  async #greedyTop(tokens: TokenIds, from: number): Promise<TopLogprobs> {
    const top = {
      tokens: new Int32Array(tokens.length),
      logprobs: new Float32Array(tokens.length).fill(Number.NaN),
      k: 1,
    };
    const find = async (place: number) => {
      const before = tokens.slice(0, place + 1);
      const greedy = await this.asDrawn(before, 1, 0);
      const own = this.#rules.temperedLogprobs ? await this.logprobs([[...before, greedy.tokens[0]!]]) : undefined;
      top.tokens[place] = greedy.tokens[0]!; // one was asked for
      top.logprobs[place] = own?.[0]?.at(-1) ?? greedy.logprobs[0]!;
    };
    await Promise.all(tokens.slice(from).map((_, at) => find(from + at)));
    return top;
  }

  async #group(prompt: TokenIds, how: SamplingParams, seed: number): Promise<Sequence[]> {
    const { sequences } = await this.#ask(prompt, {
      num_samples: how.samples,
      sampling_params: {
        max_tokens: how.maxTokens,
        temperature: how.temperature,
        top_p: how.topP ?? 1,
        top_k: how.topK ?? -1,
        seed,
        stop: how.stop,
      },
    });
    if (sequences.length !== how.samples) throw this.#broken('sequences', sequences.length);
    return sequences.map(({ tokens, logprobs, stopReason }) => ({
      tokens: Array.from(tokens),
      logprobs: Array.from(logprobs ?? tokens, (value) => (logprobs ? value : Number.NaN)),
      stopReason,
    }));
  }

  /** The protocol's logprobs are those of the tempered distribution; the model's own cost another pass. */
  async #untempered(prompts: readonly TokenIds[], groups: readonly Sequence[][]): Promise<Sequence[][]> {
    return Promise.all(
      groups.map(async (group, at) => {
        const prompt = prompts[at]!;
        const own = await this.logprobs(group.map(({ tokens }) => [...prompt, ...tokens]));
        return group.map((one, index) => ({ ...one, logprobs: [...own[index]!.slice(prompt.length)] }));
      }),
    );
  }

  async #ask(prompt: TokenIds, asked: Asked): Promise<SampleResponse> {
    const seqId = this.#next++;
    const what = `asample ${seqId} of ${this.#name}`;
    const body = {
      ...asked,
      prompt: { chunks: [{ type: 'encoded_text', tokens: prompt }] },
      sampling_session_id: this.#sessionId,
      seq_id: seqId,
      type: 'sample',
    };
    const heard = await this.#gate.run(4 * prompt.length, () => this.#result(what, body));
    try {
      return decodeSampleResponse(heard.body);
    } catch (error) {
      throw this.#service.http.error({ what }, (error as Error).message); // the decoder says what is damaged
    }
  }

  async #result(what: string, body: object): Promise<Heard> {
    const { http, futures } = this.#service;
    for (let tries = 1; ; tries++) {
      const call = { what, path: 'asample', body, headers: HEADERS, ownPace: true };
      const heard = await http.send(call);
      if (isProtobuf(heard)) return heard;
      const { request_id } = http.read(call, heard, sampleFutureAnswer.parse);
      try {
        return await futures.result({ what, requestId: request_id, type: 'Sample' });
      } catch (error) {
        if (!(error instanceof Lost)) throw error;
        if (tries === ANEW) throw http.error({ what }, `its result was lost ${tries} times`);
      }
    }
  }

  #broken(field: string, length: number): EngineError {
    return new EngineError(`${this.#service.http.address}: ${this.#name}: ${field}: came with ${length} entries`);
  }
}

/** One seed a prompt: the server sees each prompt alone. */
function seedOf({ seed, seeds, place = 0 }: SamplingParams, prompt: number): number {
  return seeds?.[prompt] ?? stream(seed, 'tinker', place + prompt).integer(2 ** 31);
}
