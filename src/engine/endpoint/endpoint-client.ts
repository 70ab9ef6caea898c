import { createHash } from 'node:crypto';
import { EndpointError } from '../../errors.ts';
import { Failure, holdsError, saidFailure } from '../http/failure.ts';
import { type Address, addressText } from './address.ts';
import type { Answer } from './answer.ts';
import { messagesRequest } from './anthropic-messages.ts';
import type { Budget, Worst } from './budget.ts';
import type { Flow } from './flow.ts';
import { chatRequest } from './openai-chat.ts';
import { completionsRequest } from './openai-completions.ts';
import { Refusals } from './refusals.ts';
import type { ReplyJournal } from './reply-journal.ts';
import type { Ask, Dialect, Render, Request } from './request.ts';
import type { Listed, Sender } from './sender.ts';

/** What a client is put together from. */
export type ClientParts = {
  readonly address: Address & { readonly model: string };
  readonly sender: Sender;
  readonly flow: Flow;
  readonly budget: Budget;
  /** Undefined: nothing is kept, and nothing is found again. */
  readonly journal: ReplyJournal | undefined;
  /** What the server listed when it was first asked. */
  readonly listed: readonly Listed[];
  /** From conversations to prompts for completions; undefined where nobody lent a chat template. */
  readonly render: Render | undefined;
};

/** Asks and pays: the journal first, then the budget, then the server at its pace. Every reply is kept before it is used. */
export class EndpointClient {
  readonly parts: ClientParts;
  /** Replies handed out, and those of them that were found in the journal. */
  given = 0;
  cached = 0;
  /** Replies without a word in them. */
  empty = 0;
  /** Whether the model thinks out of sight before it replies. */
  thinks = false;
  readonly refusals = new Refusals();
  readonly #asking = new Map<string, Promise<Answer>>();

  constructor(parts: ClientParts) {
    this.parts = parts;
    const { journal, budget } = parts;
    for (const worst of journal?.past.lost ?? []) budget.lose(worst);
    journal?.past.answered((answer) => add(budget, answer));
  }

  /**
   * The answer to one request. `trial` tells repeats of it apart: the same trial is the same answer, in this process and
   * after a resume, and another trial is asked for anew, so that the cache never makes one sample out of two.
   * @throws Failure where the server refuses it, EndpointError where it cannot be had.
   */
  async ask(ask: Ask, dialect: Dialect, trial: number): Promise<Answer> {
    const request = this.#request(ask, dialect);
    const key = this.#key(request, ask, trial);
    const asking = this.#asking.get(key) ?? this.#answer(request, ask, key).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    const answer = await asking;
    const last = ask.conversation.at(-1);
    return dialect.echoes && last?.role === 'assistant' ? withoutEcho(answer, last.text) : answer;
  }

  async #answer(request: Request, ask: Ask, key: string): Promise<Answer> {
    const known = this.parts.journal?.get(key);
    if (known) this.cached += known.replies.length;
    const answer = known ?? (await this.#pay(request, ask, key));
    this.given += answer.replies.length;
    this.empty += answer.replies.filter(({ text }) => text === '' && !answer.promptTokens).length;
    this.thinks ||= answer.thought ?? false;
    return answer;
  }

  async #pay(request: Request, ask: Ask, key: string): Promise<Answer> {
    const { flow, journal } = this.parts;
    const worst = worstOf(request, ask);
    const answer = await flow.run(() => this.#attempt(request, key, worst), tokensOf);
    await journal?.answered(key, answer);
    return answer;
  }

  async #attempt(request: Request, key: string, worst: Worst): Promise<Answer> {
    const { sender, budget, journal } = this.parts;
    await budget.reserve(worst);
    await journal?.sent(key, worst);
    try {
      const answer = readAnswer(request, await sender.post(request.path, request.body));
      budget.settle(worst, usedOf(answer, worst));
      return answer;
    } catch (error) {
      const failed = error instanceof Failure && !error.maybePaid;
      if (failed) budget.release(worst);
      else budget.lose(worst);
      await (failed ? journal?.failed(key) : journal?.lost(key, worst));
      throw error;
    }
  }

  #request(ask: Ask, dialect: Dialect): Request {
    const { address, render } = this.parts;
    if (dialect.route === 'messages') return messagesRequest(address.model, ask, dialect);
    if (dialect.route === 'chat') return chatRequest(address.model, ask, dialect);
    if (render) return completionsRequest(address.model, ask, dialect, render);
    throw new EndpointError(`${this.name}: completions need a chat template; lend one with --template FOLDER`);
  }

  #key({ path, body }: Request, { seed }: Ask, trial: number): string {
    const { baseUrl } = this.parts.address;
    return createHash('sha256')
      .update(JSON.stringify([baseUrl, path, body, seed, trial]))
      .digest('base64url')
      .slice(0, 27);
  }

  /** Tokens of the model listed under this name, or of the only one: llama.cpp and others answer to any name. */
  get maxContext(): number | undefined {
    const { address, listed } = this.parts;
    const [only, ...others] = listed;
    const found = listed.find(({ id }) => id === address.model) ?? (others.length === 0 ? only : undefined);
    return found?.maxContext;
  }

  get name(): string {
    return addressText(this.parts.address);
  }

  /** One line for the user. A model that is not there is answered with those that are. */
  explained({ kind, line }: Failure): EndpointError {
    const { address, listed } = this.parts;
    const unlisted = kind === 'model' && !listed.some(({ id }) => id === address.model);
    const known = listed.slice(0, 20).map(({ id }) => id);
    const way = unlisted && known.length > 0 ? `; it has ${known.join(', ')}` : '';
    return new EndpointError(`${this.name}: ${line}${way}`);
  }

  /** One reply was refused. @throws EndpointError where too many are. */
  refused(why: string): void {
    this.refusals.count(why, this.given);
  }

  /** Sends nothing more. @returns the error to throw: one line, with the way to go on where anything has been paid for. */
  stopped(error: unknown): unknown {
    return this.parts.flow.stop(this.#told(error));
  }

  #told(error: unknown): unknown {
    const known = error instanceof Failure ? this.explained(error) : error;
    if (!(known instanceof EndpointError)) return known;
    const named = known.message.startsWith(this.name) ? known.message : `${this.name}: ${known.message}`;
    if (named.includes('--resume') || !this.parts.journal || this.given === 0) return new EndpointError(named);
    return new EndpointError(`${named}; every reply so far is kept, go on with --resume`);
  }
}

/** What the server says helps the user; what a validator says of a stranger's reply does not. */
function readAnswer(request: Request, json: unknown): Answer {
  if (holdsError(json)) throw saidFailure(json);
  try {
    return request.read(json);
  } catch (error) {
    throw error instanceof Failure ? error : saidFailure(json);
  }
}

/** What a prompt costs beside its text: a system prompt of the template's own, and role and turn markers. */
const TOKENS_A_PROMPT = 64;
const TOKENS_A_TURN = 16;

/** A token is at least one byte of the prompt, so there are never more tokens than bytes. */
function worstOf({ body }: Request, { conversation, maxTokens, samples }: Ask): Worst {
  const bytes = Buffer.byteLength(JSON.stringify(body.messages ?? body.prompt));
  return {
    replies: samples,
    prompt: bytes + TOKENS_A_PROMPT + TOKENS_A_TURN * conversation.length,
    completion: maxTokens * samples,
  };
}

const tokensOf = ({ used }: Answer): number => used?.completion ?? 0;

/** Where the server does not count, the worst is what counts. */
function usedOf({ replies, used }: Answer, worst: Worst): Worst {
  return { replies: replies.length, ...(used ?? { prompt: worst.prompt, completion: worst.completion }) };
}

function add({ spent }: Budget, { replies, used }: Answer): void {
  spent.replies += replies.length;
  spent.prompt += used?.prompt ?? 0;
  spent.completion += used?.completion ?? 0;
}

/** The replies without the open turn that a server gives back in front of them, and without its tokens. */
function withoutEcho(answer: Answer, open: string): Answer {
  const replies = answer.replies.map((reply) => {
    const text = reply.text.startsWith(open) ? reply.text.slice(open.length) : reply.text;
    const said = reply.tokens?.map((token) => token.text).join('');
    if (reply.tokens === undefined || said === undefined || !said.startsWith(open)) return { ...reply, text };
    let end = 0;
    const tokens = reply.tokens.filter((token) => {
      end += token.text.length;
      return end > open.length;
    });
    return { ...reply, text, tokens };
  });
  return { ...answer, replies };
}
