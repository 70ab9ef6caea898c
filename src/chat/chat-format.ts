import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Conversation } from '../conversation/conversation.ts';
import { readJson } from '../disk/read-json.ts';
import type { TokenIds } from '../engine/engine.ts';
import { readConfig } from '../engine/local/model/architectures.ts';
import { ModelError } from '../errors.ts';
import { ChatTemplate } from './chat-template.ts';
import { Tokenizer } from './tokenizer.ts';

/** Where a turn's own text lies among the tokens, `end` exclusive. */
export type Span = { readonly start: number; readonly end: number };

export type Rendered = {
  readonly tokens: TokenIds;
  /** One a turn, the template's own words left out. */
  readonly spans: readonly Span[];
};

const stopSchema = z.object({ eos_token_id: z.union([z.int(), z.array(z.int())]).nullish() });

/**
 * Conversations <-> tokens, by the tokenizer and the chat template of a model folder. A turn is put into tokens in its
 * parts (header, text, footer), so spans are exact and what a model was asked with is the beginning of what it said.
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

  /** Every turn closed. @throws InputError naming the turn that the template does not keep. */
  render(conversation: Conversation): Rendered {
    const tokens: number[] = [];
    const spans = this.#template.turns(conversation).map(({ header, text, footer }) => {
      tokens.push(...this.encode(header));
      const start = tokens.length;
      tokens.push(...this.encode(text));
      const end = tokens.length;
      tokens.push(...this.encode(footer));
      return { start, end };
    });
    return { tokens, spans };
  }

  /** What the model goes on from: the last turn left open where it is the assistant's, else a new one opened. */
  prompt(conversation: Conversation): TokenIds {
    const last = conversation.at(-1);
    const open = last?.role === 'assistant' ? last : undefined;
    const turns = this.#template.opened(open === undefined ? conversation : conversation.slice(0, -1));
    const parts = [...turns.flatMap(({ header, text, footer }) => [header, text, footer]), open?.text ?? ''];
    return parts.flatMap((part) => this.encode(part));
  }
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
