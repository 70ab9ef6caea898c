import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Conversation } from '../conversation/conversation.ts';
import { readJson } from '../disk/read-json.ts';
import type { TokenIds } from '../engine/engine.ts';
import { readConfig } from '../engine/local/model/architectures.ts';
import { ModelError } from '../errors.ts';
import { ChatTemplate, type Place, type Rendering } from './chat-template.ts';
import { type Span, spanOf, tokenEnds } from './spans.ts';
import { Tokenizer } from './tokenizer.ts';

export type Rendered = {
  readonly tokens: TokenIds;
  /** The text of each assistant's turn among the tokens, in the order of the turns; the template's words left out. */
  readonly spans: readonly Span[];
};

/** A turn whose token ids are known, and where its text stands. */
type Sampled = Place & { readonly ids: TokenIds };

const stopSchema = z.object({ eos_token_id: z.union([z.int(), z.array(z.int())]).nullish() });

/**
 * Conversations <-> tokens, by the tokenizer and the chat template of a model folder. The whole conversation is rendered
 * and its text tokenised, so the ids are those of `apply_chat_template` of Python's transformers. Turns that carry the
 * ids they were sampled as keep them, wherever the template keeps their text.
 */
export class ChatFormat {
  /** Tokens that end an assistant's turn. */
  readonly stop: TokenIds;
  readonly #tokenizer: Tokenizer;
  readonly #template: ChatTemplate;

  private constructor(tokenizer: Tokenizer, template: ChatTemplate, stop: TokenIds) {
    this.#tokenizer = tokenizer;
    this.#template = template;
    this.stop = stop;
  }

  /** @throws ModelError where tokenizer or template is missing, damaged or unsupported. */
  static async open(folder: string): Promise<ChatFormat> {
    const { vocabSize } = await readConfig(folder);
    const tokenizer = await Tokenizer.open(folder, vocabSize);
    const template = await ChatTemplate.open(folder);
    return new ChatFormat(tokenizer, template, await stopTokens(folder, tokenizer, template));
  }

  /** Text as it is, special tokens and all. @throws InputError naming the first character outside the vocabulary. */
  readonly encode = (text: string): TokenIds => this.#tokenizer.encode(text);

  readonly decode = (tokens: TokenIds): string => this.#tokenizer.decode(tokens);

  /** The text of each token. */
  pieces(tokens: TokenIds): string[] {
    return this.#tokenizer.pieces(tokens);
  }

  /** The bytes that a token stands for, of a character in part where it is spread over several tokens. */
  bytes(token: number): Uint8Array {
    return this.#tokenizer.bytes(token);
  }

  /**
   * Renders what the model writes on from: its last turn left open where that is an assistant's, else a new one. Equal
   * to `add_generation_prompt=True` and `continue_final_message=True`.
   * @throws InputError where the template refuses the conversation.
   */
  prompt(conversation: Conversation): TokenIds {
    const text = this.#template.render(conversation, 'prompt');
    return this.#tokens(text, this.#sampled(conversation, 'prompt'));
  }

  /**
   * Renders a conversation with every turn closed, for training. The tokens begin with the {@link prompt} that the last
   * assistant's turn is sampled from, where the template writes that prompt.
   * @throws InputError naming the assistant's turn whose text cannot be told apart from the template's words.
   */
  render(conversation: Conversation): Rendered {
    const text = this.#template.render(conversation, 'closed');
    const cut = this.#promptLength(conversation, text);
    const tokens = this.#tokens(text, this.#sampled(conversation, 'closed'), cut);
    const ends = tokenEnds(this.pieces(tokens), text);
    const spans = conversation.flatMap((turn, at) => {
      if (turn.role !== 'assistant') return [];
      const place = this.#template.placeOf(conversation, at, 'closed');
      if (place === undefined) throw this.#template.altered(turn, at);
      return [spanOf(place, ends, text, at)];
    });
    return { tokens, spans };
  }

  /** The length of the prompt of the last assistant's turn, where the rendered text begins with it, else 0. */
  #promptLength(conversation: Conversation, text: string): number {
    const last = conversation.findLastIndex(({ role }) => role === 'assistant');
    if (last < 1) return 0;
    const asked = conversation.slice(0, last);
    if (asked.at(-1)?.role === 'assistant') return 0; // would be an open turn
    const prompt = this.#template.render(asked, 'prompt');
    return text.startsWith(prompt) ? prompt.length : 0;
  }

  /** Turns that were sampled and stand in the text as they were. An open last turn is text like any other. */
  #sampled(conversation: Conversation, rendering: Rendering): Sampled[] {
    const open = rendering === 'prompt' && conversation.at(-1)?.role === 'assistant';
    const closed = open ? conversation.slice(0, -1) : conversation;
    return closed.flatMap(({ ids, text }, at) => {
      const place = ids && this.#template.placeOf(conversation, at, rendering);
      return place && place.end - place.start === text.length ? [{ ids, ...place }] : [];
    });
  }

  /** The ids of a text that is cut in two, with sampled ids put in where they spell what stands there. */
  #tokens(text: string, sampled: readonly Sampled[], cut = 0): TokenIds {
    const whole = this.#joined(cutUp(text, [], cut));
    if (sampled.length === 0) return whole;
    const kept = this.#joined(cutUp(text, sampled, cut));
    return this.decode(kept) === this.decode(whole) ? kept : whole;
  }

  #joined(parts: readonly (string | TokenIds)[]): TokenIds {
    const tokens: number[] = [];
    for (const part of parts) {
      if (typeof part !== 'string') tokens.push(...part);
      else tokens.push(...(tokens.length === 0 ? this.encode(part) : this.#tokenizer.encodeInside(part)));
    }
    return tokens;
  }
}

/** A text in parts: cut in two at a place, and ids instead of text where they are known. */
function cutUp(text: string, sampled: readonly Sampled[], cut: number): (string | TokenIds)[] {
  const parts: (string | TokenIds)[] = [];
  let from = 0;
  const upTo = (end: number): void => {
    if (from < cut && cut < end) parts.push(text.slice(from, cut), text.slice(cut, end));
    else parts.push(text.slice(from, end));
  };
  for (const { start, end, ids } of sampled) {
    upTo(start);
    parts.push(ids);
    from = end;
  }
  upTo(text.length);
  return parts;
}

/** What generation stops at: as `generation_config.json` says, or else `config.json`, and the tokenizer's own end. */
async function stopTokens(folder: string, tokenizer: Tokenizer, { endOfTurn }: ChatTemplate): Promise<TokenIds> {
  const generation = join(folder, 'generation_config.json');
  const path = existsSync(generation) ? generation : join(folder, 'config.json');
  const parsed = stopSchema.safeParse(await readJson(path));
  if (!parsed.success) throw new ModelError(`${path}: eos_token_id must be a token id or a list of them`);
  const own = endOfTurn === undefined ? undefined : tokenizer.idOf(endOfTurn);
  const stop = new Set([parsed.data.eos_token_id ?? [], own ?? []].flat());
  if (stop.size > 0) return [...stop];
  throw new ModelError(
    `${path}: eos_token_id is missing, and tokenizer_config.json has no eos_token; nothing ends a turn`,
  );
}
