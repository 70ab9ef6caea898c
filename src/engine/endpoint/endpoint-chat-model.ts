import { createHash } from 'node:crypto';
import type { Capabilities, ChatModel, Reply, ReplyParams, TokenLogprob } from '../../conversation/chat-model.ts';
import type { Conversation } from '../../conversation/conversation.ts';
import { EndpointError } from '../../errors.ts';
import { Failure } from '../http/failure.ts';
import type { Answer, AnswerToken } from './answer.ts';
import type { EndpointClient } from './endpoint-client.ts';
import { isOpen } from './request.ts';
import type { SelfTest } from './self-test.ts';

/** A model behind an endpoint, as far as its self-test went. What it was not shown to do is refused, never tried. */
export class EndpointChatModel implements ChatModel {
  readonly name: string;
  readonly can: Capabilities;
  readonly #client: EndpointClient;
  readonly #test: SelfTest;
  /** Every reply may be so long at least, whatever a probe asks: for models that think before they speak. */
  readonly #replyTokens: number;

  constructor(client: EndpointClient, test: SelfTest, replyTokens = 0) {
    this.name = client.name;
    this.#client = client;
    this.#test = test;
    this.#replyTokens = replyTokens;
    this.can = {
      prefill: test.findings.prefill.can,
      logprobs: test.prompt !== undefined,
      ownLogprobs: test.findings.own_logprobs.can,
      seed: test.findings.seed.can,
    };
  }

  async reply(conversations: readonly Conversation[], how: ReplyParams): Promise<Reply[][]> {
    this.#refuse(conversations.some(isOpen) && !this.can.prefill, 'an open turn is not gone on with');
    const together = this.#test.findings.n.can ? how.samples : 1;
    const asksEach = how.samples / together;
    const replies = await this.#each(conversations.length * asksEach, (index) => {
      const at = Math.floor(index / asksEach);
      return this.#replies(conversations[at]!, how, index % asksEach, together, at < (how.tokensOfFirst ?? 0));
    });
    return conversations.map((_, at) => replies.slice(at * asksEach, (at + 1) * asksEach).flat());
  }

  async logprobs(items: readonly { conversation: Conversation; continuation: string }[]): Promise<TokenLogprob[][]> {
    const prompt = this.#test.prompt;
    this.#refuse(prompt === undefined, 'the logprobs of a given text are not shown');
    return this.#each(items.length, async (index) => {
      const { conversation, continuation } = items[index]!; // within the length
      const ask = { maxTokens: 1, temperature: 0, seed: 0, samples: 1, tokens: false, prompt: prompt!.by };
      const answer = await this.#client.ask(
        { conversation: written(conversation, continuation), ...ask },
        prompt!.dialect,
        0,
      );
      return lastTokens(answer.promptTokens ?? [], continuation.length);
    });
  }

  async #replies(
    conversation: Conversation,
    { maxTokens, temperature, topP, seed }: ReplyParams,
    trial: number,
    samples: number,
    tokens: boolean,
  ): Promise<Reply[]> {
    const ask = {
      conversation,
      maxTokens: Math.max(maxTokens, this.#replyTokens),
      temperature,
      topP,
      seed: seedOf(seed, trial, conversation),
      samples,
      tokens: tokens && this.#test.findings.own_logprobs.can,
      prompt: undefined,
    };
    const asking = this.#client.ask(ask, this.#dialect(), trial).then(repliesOf);
    const replies = await asking.catch((error) => refusedReplies(error, samples));
    this.#refuse(replies.length !== samples, `${replies.length} replies came where ${samples} were asked for`);
    for (const { refused } of replies) if (refused !== undefined) this.#client.refused(refused);
    return replies;
  }

  /** Where only completions go on from an open turn, all is asked that way: one measurement has one way of asking. */
  #dialect() {
    const { dialect } = this.#test;
    return dialect.prefill === 'completions' ? ({ ...dialect, route: 'completions' } as const) : dialect;
  }

  #refuse(refused: boolean, why: string): void {
    if (refused) throw new EndpointError(`${this.name}: ${why}`);
  }

  /**
   * Results in order; the next request is made when one is done, so that ten thousand of them are not all in memory. After
   * a failure nothing more is sent, and what is in flight is heard out: it is paid for, and kept.
   */
  async #each<T>(count: number, one: (index: number) => Promise<T>): Promise<T[]> {
    const results = new Array<T>(count);
    const failures: unknown[] = [];
    let next = 0;
    const work = async () => {
      while (next < count && failures.length === 0) {
        const index = next++;
        results[index] = await one(index);
      }
    };
    const workers = Array.from({ length: Math.min(count, AHEAD * this.#client.parts.flow.most) }, work);
    const stop = (error: unknown) => failures.push(this.#client.stopped(error));
    await Promise.all(workers.map((worker) => worker.catch(stop)));
    if (failures.length > 0) throw failures[0];
    return results;
  }
}

/** More than may be in flight, so that a place is taken again while the reply before goes to the disk. */
const AHEAD = 4;

/** The conversation with the continuation written into its open turn. */
function written(conversation: Conversation, continuation: string): Conversation {
  const last = conversation.at(-1);
  if (last?.role !== 'assistant')
    return [...conversation, { role: 'assistant', text: continuation, origin: 'injected' }];
  return [...conversation.slice(0, -1), { ...last, text: last.text + continuation }];
}

/** The tokens of the last `length` characters; of one that begins before them, what lies within. */
function lastTokens(tokens: readonly AnswerToken[], length: number): TokenLogprob[] {
  let left = length;
  let start = tokens.length;
  while (start > 0 && left > 0) left -= tokens[--start]!.text.length;
  return tokens
    .slice(start)
    .map((token, at) => (at === 0 && left < 0 ? { ...token, text: token.text.slice(-left) } : token));
}

/** Other problems and other trials draw otherwise: one seed for all would make their luck the same. */
function seedOf(seed: number, trial: number, conversation: Conversation): number {
  const said = conversation.map(({ role, text }) => [role, text]);
  const digest = createHash('sha256')
    .update(JSON.stringify([seed, trial, said]))
    .digest();
  return digest.readUInt32LE(0) >>> 1; // servers take 31 bits
}

function repliesOf({ replies, used }: Answer): Reply[] {
  const share = used ? Math.round(used.completion / replies.length) : undefined;
  return replies.map(({ text, stopReason, tokens }) => ({
    text,
    stopReason: stopReason === 'length' ? 'length' : 'stop',
    tokens,
    tokenCount: share ?? tokens?.length ?? Math.ceil(text.length / 4),
    ...(stopReason === 'filtered' ? { refused: 'withheld by a filter of the provider' } : {}),
  }));
}

/** A conversation that the server does not answer, while it answers others, has that for its outcome. */
function refusedReplies(error: unknown, samples: number): Reply[] {
  if (!(error instanceof Failure && error.kind === 'refused')) throw error;
  const none: Reply = { text: '', stopReason: 'stop', tokens: undefined, tokenCount: 0, refused: error.line };
  return Array.from({ length: samples }, () => ({ ...none }));
}
