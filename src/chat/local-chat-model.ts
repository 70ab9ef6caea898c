import type { Capabilities, ChatModel, Reply, ReplyParams, TokenLogprob } from '../conversation/chat-model.ts';
import { type Conversation, mergeTurns } from '../conversation/conversation.ts';
import type { Sampler, Sequence, TokenIds } from '../engine/engine.ts';
import type { ChatFormat } from './chat-format.ts';

/** A snapshot of weights that can be talked to. */
export class LocalChatModel implements ChatModel {
  readonly name: string;
  /** True by construction: prompts are tokens, and the sampler is seeded. */
  readonly can: Capabilities = { prefill: true, logprobs: true, ownLogprobs: true, seed: true };
  readonly #sampler: Sampler;
  readonly #format: ChatFormat;
  #alternates: boolean | undefined;

  constructor(name: string, sampler: Sampler, format: ChatFormat) {
    this.name = name;
    this.#sampler = sampler;
    this.#format = format;
  }

  async reply(conversations: readonly Conversation[], how: ReplyParams): Promise<Reply[][]> {
    const { tokensOfFirst = 0, ...params } = how;
    const prompts = conversations.map((conversation) => this.#prompt(conversation));
    const unscored = { ...params, stop: this.#format.stop, logprobs: false };
    const sequences = await this.#sampler.sample(prompts, unscored);
    const shown = sequences
      .slice(0, tokensOfFirst)
      .map((group, at) => group.map((one) => this.#spoken(prompts[at]!, one)));
    const looked = await this.#look(shown.flat());
    let next = 0;
    return sequences.map((group, at) =>
      group.map((one) => this.#read(one, at < tokensOfFirst ? looked[next++] : undefined)),
    );
  }

  logprobs(items: readonly { conversation: Conversation; continuation: string }[]): Promise<TokenLogprob[][]> {
    const texts = items.map(({ conversation, continuation }) => {
      return { prompt: this.#prompt(conversation), said: this.#format.encode(continuation) };
    });
    return this.#look(texts);
  }

  #prompt(conversation: Conversation): TokenIds {
    this.#alternates ??= refusesTurnsInARow(this.#format);
    return this.#format.prompt(this.#alternates ? mergeTurns(conversation) : conversation);
  }

  #read({ tokens, stopReason }: Sequence, looked: TokenLogprob[] | undefined): Reply {
    const ids = withoutStop(tokens, stopReason);
    return { text: this.#format.decode(ids), ids, tokens: looked, tokenCount: tokens.length, stopReason };
  }

  #spoken(prompt: TokenIds, { tokens, stopReason }: Sequence): Spoken {
    return { prompt, said: withoutStop(tokens, stopReason) };
  }

  /** Each token of what was said, with its logprob and that of the likeliest token in its place. */
  async #look(texts: readonly Spoken[]): Promise<TokenLogprob[][]> {
    if (texts.length === 0) return [];
    const sequences = texts.map(({ prompt, said }) => [...prompt, ...said]);
    const from = texts.map(({ prompt }) => prompt.length - 1);
    const [own, top] = await Promise.all([
      this.#sampler.logprobs(sequences),
      this.#sampler.topLogprobs(sequences, 1, from),
    ]);
    return texts.map(({ prompt, said }, index) => {
      return this.#format.pieces(said).map((text, at) => {
        const place = prompt.length + at;
        const logprob = own[index]![place]!;
        return { text, logprob, topLogprob: top[index]!.logprobs[place - 1]! };
      });
    });
  }
}

/** A prompt and what follows it. */
type Spoken = { readonly prompt: TokenIds; readonly said: TokenIds };

/** The stop token ends a turn and is no part of its text. */
function withoutStop(tokens: TokenIds, stopReason: Sequence['stopReason']): TokenIds {
  return stopReason === 'stop' ? tokens.slice(0, -1) : tokens;
}

/** Some templates insist on turns that alternate, and throw. */
function refusesTurnsInARow(format: ChatFormat): boolean {
  const user = { role: 'user', origin: 'given' } as const;
  try {
    format.prompt([{ ...user, text: 'a' }, { ...user, text: 'b' }]);
    return false;
  } catch {
    return true;
  }
} // biome-ignore format: one line a statement
