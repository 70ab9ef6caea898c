import type { Conversation } from '../../conversation/conversation.ts';
import { EndpointError } from '../../errors.ts';
import { Failure } from '../http/failure.ts';
import type { Answer } from './answer.ts';
import { AGREED, type Cut, cut, FOREIGN, isContinued, type Own } from './cut-reply.ts';
import type { EndpointClient } from './endpoint-client.ts';
import { type Finding, no, yes } from './finding.ts';
import { type Ask, type Dialect, type PrefillDialect, prefillDialects } from './request.ts';

/** What can be asked of an endpoint, in the order of the report. */
export const abilities = [
  'prefill',
  'own_logprobs',
  'prompt_logprobs',
  'seed',
  'temperature',
  'n',
  'stop',
  'turns_in_a_row',
  'max_context',
] as const;

export type SelfTest = {
  readonly findings: Readonly<Record<(typeof abilities)[number], Finding>>;
  readonly dialect: Dialect;
  /** How prompts are asked for their logprobs; undefined where they are not given. */
  readonly prompt: { readonly by: NonNullable<Ask['prompt']>; readonly dialect: Dialect } | undefined;
};

/** What a self-test asks: prompts of the kind that will be asked later, so that it also works on a model of one task. */
export type Samples = { readonly prompts: readonly Conversation[]; readonly replyTokens: number };

/**
 * Finds out what an endpoint does, by asking it. Nothing is assumed: a field that a server accepts and ignores is found
 * out by what it should have changed.
 * @throws EndpointError where it does not reply at all.
 */
export async function selfTest(client: EndpointClient, samples: Samples): Promise<SelfTest> {
  try {
    return await new Tester(client, samples).run();
  } catch (error) {
    throw client.stopped(error);
  }
}

const SEEDS = [11, 12] as const;
const SHORT = 16;

class Tester {
  readonly #client: EndpointClient;
  readonly #samples: Samples;
  #dialect: Dialect;

  constructor(client: EndpointClient, samples: Samples) {
    this.#client = client;
    this.#samples = samples;
    const messages = client.parts.address.protocol === 'anthropic';
    this.#dialect = {
      route: messages ? 'messages' : 'chat',
      prefill: undefined,
      echoes: false,
      maxTokens: 'max_tokens',
      temperature: true,
      seed: !messages,
      mergeTurns: false,
    };
  }

  async run(): Promise<SelfTest> {
    const own = await this.#greedy();
    const [first] = own;
    if (first === undefined) throw this.#silent();
    const turns = await this.#turnsInARow();
    const [seed, ownLogprobs, n, stop] = await Promise.all([
      this.#seed(),
      this.#ownLogprobs(),
      this.#n(),
      this.#stop(first),
    ]);
    const prefill = await this.#prefill(own);
    const prompt = await this.#promptLogprobs(first);
    return {
      findings: {
        prefill,
        own_logprobs: ownLogprobs,
        prompt_logprobs: prompt
          ? yes(prompt.by === 'echo' ? 'by completions with echo' : 'by prompt_logprobs')
          : no('neither prompt_logprobs nor completions with echo show them'),
        seed,
        temperature: this.#temperature(),
        n,
        stop,
        turns_in_a_row: turns,
        max_context: this.#maxContext(),
      },
      dialect: this.#dialect,
      prompt,
    };
  }

  #ask(conversation: Conversation, how: Partial<Ask> = {}, trial = 0, dialect = this.#dialect): Promise<Answer> {
    const plain = { maxTokens: SHORT, temperature: 0, seed: SEEDS[0], samples: 1, tokens: false, prompt: undefined };
    return this.#client.ask({ conversation, ...plain, ...how }, dialect, trial);
  }

  /** Undefined where the server refuses to be asked this way. */
  async #allowed<T>(asking: Promise<T>): Promise<T | undefined> {
    try {
      return await asking;
    } catch (error) {
      if (error instanceof Failure && (error.kind === 'refused' || error.kind === 'model')) return undefined;
      throw error;
    }
  }

  /** Greedy replies; on the way it is learnt which of the usual fields the endpoint does without. */
  async #greedy(): Promise<Own[]> {
    for (;;) {
      try {
        const how = { maxTokens: this.#samples.replyTokens };
        const answers = await Promise.all(this.#samples.prompts.map((prompt) => this.#ask(prompt, how)));
        const own = answers.map(({ replies }, at) => ({
          conversation: this.#samples.prompts[at]!,
          text: replies[0]!.text,
        })); // one a prompt, never empty
        return own.filter(({ text }) => text.trim() !== '');
      } catch (error) {
        const milder = error instanceof Failure ? this.#milder(error) : undefined;
        if (!milder) throw error;
        this.#dialect = milder;
      }
    }
  }

  #milder({ kind, line }: Failure): Dialect | undefined {
    const dialect = this.#dialect;
    const hopeless = kind === 'model' || kind === 'page';
    if (hopeless && dialect.route === 'chat' && this.#client.parts.render) return { ...dialect, route: 'completions' };
    if (kind !== 'refused') return undefined;
    if (/max_completion_tokens/.test(line) && dialect.maxTokens === 'max_tokens') {
      return { ...dialect, maxTokens: 'max_completion_tokens' };
    }
    if (/temperature/.test(line) && dialect.temperature) return { ...dialect, temperature: false };
    return /seed/.test(line) && dialect.seed ? { ...dialect, seed: false } : undefined;
  }

  #silent(): EndpointError {
    const { name } = this.#client;
    const { replyTokens } = this.#samples;
    return new EndpointError(
      `${name}: says nothing within ${replyTokens} tokens, as a model does that thinks first; allow more with --reply-tokens`,
    );
  }

  #temperature(): Finding {
    if (!this.#dialect.temperature) return no('refused: all replies come at the temperature of the server');
    return this.#dialect.route === 'messages' ? yes('up to 1; what is hotter is asked at 1') : yes('accepted');
  }

  /** Equal seeds must give equal replies, and another seed other ones. */
  async #seed(): Promise<Finding> {
    if (this.#dialect.route === 'messages') return no('the protocol has none');
    if (!this.#dialect.seed) return no('refused');
    for (const temperature of this.#dialect.temperature ? [1, 2] : [1]) {
      const replies = (seed: number, trial: number) => this.#allowed(this.#repliesTo(temperature, seed, trial));
      const sets = await Promise.all([replies(SEEDS[0], 0), replies(SEEDS[0], 1), replies(SEEDS[1], 0)]);
      const [one, again, other] = sets;
      if (one === undefined || again === undefined || other === undefined) break;
      if (one !== again) return no(await this.#unlikeSeeds(temperature));
      if (one !== other) return yes('equal seeds gave equal replies, another seed others');
    }
    return no('cannot be told: the replies are the same whatever the seed');
  }

  /** Servers that batch requests, or reuse what they computed for others, round otherwise under load. */
  async #unlikeSeeds(temperature: number): Promise<string> {
    const alone: (string | undefined)[] = [];
    for (const trial of [2, 3]) alone.push(await this.#allowed(this.#oneByOne(temperature, trial)));
    const what = 'a repeat of this run gives others';
    return alone[0] !== undefined && alone[0] === alone[1]
      ? `not repeatable under load: equal seeds gave equal replies one after another and unlike ones side by side; ${what}`
      : `ignored: equal seeds gave unlike replies; ${what}`;
  }

  async #oneByOne(temperature: number, trial: number): Promise<string> {
    const { prompts, replyTokens } = this.#samples;
    const texts: string[] = [];
    for (const prompt of prompts) {
      const { replies } = await this.#ask(prompt, { temperature, seed: SEEDS[0], maxTokens: replyTokens }, trial);
      texts.push(replies[0]!.text); // never empty
    }
    return JSON.stringify(texts);
  }

  async #repliesTo(temperature: number, seed: number, trial: number): Promise<string> {
    const { prompts, replyTokens } = this.#samples;
    const how = { temperature, seed, maxTokens: replyTokens };
    const answers = await Promise.all(prompts.map((prompt) => this.#ask(prompt, how, trial)));
    return JSON.stringify(answers.map(({ replies }) => replies[0]!.text));
  }

  async #ownLogprobs(): Promise<Finding> {
    if (this.#dialect.route === 'messages') return no('the protocol has none');
    const answer = await this.#allowed(this.#ask(this.#samples.prompts[0]!, { tokens: true }));
    const tokens = answer?.replies[0]?.tokens ?? [];
    return tokens.length > 0 ? yes('given with the reply') : no(answer ? 'asked for and not given' : 'refused');
  }

  async #n(): Promise<Finding> {
    if (this.#dialect.route === 'messages') return no('the protocol has none: samples are asked for one by one');
    const answer = await this.#allowed(this.#ask(this.#samples.prompts[0]!, { temperature: 1, samples: 2 }));
    if (answer?.replies.length === 2) return yes('two were asked for, two came');
    return no(`${answer ? 'ignored' : 'refused'}: samples are asked for one by one`);
  }

  async #stop({ conversation, text }: Own): Promise<Finding> {
    const stop = text
      .trimEnd()
      .slice(Math.floor(text.trimEnd().length / 2))
      .slice(0, 4);
    const maxTokens = this.#samples.replyTokens;
    const answer = await this.#allowed(this.#ask(conversation, { maxTokens, stop: [stop] }));
    if (!answer) return no('refused');
    const said = answer.replies[0]!.text; // never empty
    return said.length < text.length && !said.slice(0, -stop.length).includes(stop)
      ? yes('stopped where told')
      : no('ignored');
  }

  /** Some templates insist on turns that alternate. */
  async #turnsInARow(): Promise<Finding> {
    const [one = [], other = []] = this.#samples.prompts;
    if (await this.#allowed(this.#ask([...one, ...other], { maxTokens: 1 }))) return yes('accepted');
    this.#dialect = { ...this.#dialect, mergeTurns: true };
    return no('refused: turns of one role in a row are sent as one');
  }

  /**
   * A greedy reply of its own, cut in the middle, has to be gone on with to the same end. A server that closes the turn
   * instead makes the model begin another one, and that is not what it would have written there.
   */
  async #prefill(own: readonly Own[]): Promise<Finding> {
    const cuts = own.filter(({ text }) => text.trim().length >= 2 * AGREED).map(cut);
    if (cuts.length < 2) return no('cannot be shown: its replies are too short to be cut');
    for (const prefill of this.#candidates()) {
      const written = await Promise.all(cuts.map((one) => this.#writesOn(one, { ...this.#dialect, prefill })));
      for (const echoes of [false, true]) {
        const kept = cuts.filter((one, at) => isContinued(one, written[at]!, echoes)).length; // one a cut
        if (kept * 3 < cuts.length * 2) continue;
        if (echoes && !(await this.#givesBack({ ...this.#dialect, prefill }))) continue;
        this.#dialect = { ...this.#dialect, prefill, echoes };
        const given = echoes ? ' (given back in front of what is added, and taken off)' : '';
        return yes(
          `by ${prefill}${given}: ${kept} of ${cuts.length} own replies, cut in the middle, were continued to the same end`,
        );
      }
    }
    return no('an open turn is not gone on with');
  }

  #candidates(): readonly PrefillDialect[] {
    if (this.#dialect.route === 'messages') return ['trailing'];
    if (this.#dialect.route === 'completions') return ['completions'];
    return prefillDialects.filter((dialect) => dialect !== 'completions' || this.#client.parts.render);
  }

  /** A server that begins anew may come to the same words; within one token it cannot come to these. */
  async #givesBack(dialect: Dialect): Promise<boolean> {
    const open: Conversation = [...this.#samples.prompts[0]!, { role: 'assistant', text: FOREIGN, origin: 'injected' }];
    const route = dialect.prefill === 'completions' ? 'completions' : dialect.route;
    const answer = await this.#allowed(this.#ask(open, { maxTokens: 1 }, 0, { ...dialect, route }));
    return answer?.replies[0]?.text.startsWith(FOREIGN) ?? false;
  }

  async #writesOn({ open }: Cut, dialect: Dialect): Promise<string> {
    const route = dialect.prefill === 'completions' ? 'completions' : dialect.route;
    const asking = this.#ask(open, { maxTokens: this.#samples.replyTokens }, 0, { ...dialect, route });
    return (await this.#allowed(asking))?.replies[0]?.text ?? '';
  }

  async #promptLogprobs({ conversation, text }: Own): Promise<SelfTest['prompt']> {
    if (this.#dialect.route === 'messages') return undefined;
    const told: Conversation = [...conversation, { role: 'assistant', text, origin: 'sampled' }];
    const shown = async (by: NonNullable<Ask['prompt']>, dialect: Dialect) => {
      const answer = await this.#allowed(this.#ask(told, { maxTokens: 1, prompt: by }, 0, dialect));
      const end = answer?.promptTokens?.map((token) => token.text).join('');
      return end?.endsWith(text) ? { by, dialect } : undefined;
    };
    const byChat =
      this.#dialect.prefill === 'continue_final_message' ? await shown('prompt_logprobs', this.#dialect) : undefined;
    if (byChat || !this.#client.parts.render) return byChat;
    return shown('echo', { ...this.#dialect, route: 'completions', prefill: 'completions' });
  }

  #maxContext(): Finding {
    const context = this.#client.maxContext;
    return context === undefined ? no('the server does not say') : yes(`${context} tokens`);
  }
}
