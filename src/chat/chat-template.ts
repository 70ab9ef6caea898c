import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Template } from '@huggingface/jinja';
import { z } from 'zod';
import type { Conversation, Turn } from '../conversation/conversation.ts';
import { readJson } from '../disk/read-json.ts';
import { InputError, ModelError } from '../errors.ts';

/** @file A model's chat template: which text a conversation is. */

/** A special token, which older files write as an object. */
const token = z.union([z.string(), z.object({ content: z.string() }).transform(({ content }) => content)]).nullish();

/** One template, or several by name, of which the one called `default` is for chats. */
const templates = z.union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))]);

const configSchema = z.object({
  bos_token: token,
  eos_token: token,
  pad_token: token,
  unk_token: token,
  chat_template: templates.nullish(),
});

/** The text of a turn in three parts; `header` and `footer` are the template's own words. */
export type TurnText = { readonly header: string; readonly text: string; readonly footer: string };

type Frame = Omit<TurnText, 'text'>;

/** Templates treat the first turn apart (a beginning-of-text token, a system prompt of their own). */
const frameKey = (role: Turn['role'] | 'opener', at: number): string => `${role} ${at === 0}`;

/** A parsed template, which is asked for every conversation that it writes: nothing is assumed to hold for the next. */
export class ChatTemplate {
  /** The text of the token that ends a turn, where `tokenizer_config.json` names one. */
  readonly endOfTurn: string | undefined;
  readonly #path: string;
  readonly #template: Template;
  readonly #tokens: Readonly<Record<string, string | null | undefined>>;
  /** What the template last wrote around a turn, by {@link frameKey}. */
  readonly #frames = new Map<string, Frame>();

  private constructor(path: string, source: string, tokens: Readonly<Record<string, string | null | undefined>>) {
    this.#path = path;
    this.#tokens = tokens;
    this.endOfTurn = tokens.eos_token ?? undefined;
    try {
      this.#template = new Template(source);
    } catch (error) {
      throw new ModelError(`${path}: the chat template cannot be parsed: ${firstLine(error)}`);
    }
  }

  /** From `chat_template.jinja`, or else `tokenizer_config.json`. @throws ModelError where there is none. */
  static async open(folder: string): Promise<ChatTemplate> {
    const path = join(folder, 'tokenizer_config.json');
    const parsed = configSchema.safeParse(await readJson(path));
    if (!parsed.success) {
      const issue = parsed.error.issues[0]!; // a failed parse has one
      throw new ModelError(`${path}: ${issue.path.join('.')}: ${issue.message}`);
    }
    const { chat_template, ...tokens } = parsed.data;
    const beside = join(folder, 'chat_template.jinja');
    if (existsSync(beside)) return new ChatTemplate(beside, await readFile(beside, 'utf8'), tokens);
    const source =
      typeof chat_template === 'string'
        ? chat_template
        : chat_template?.find(({ name }) => name === 'default')?.template;
    if (source !== undefined) return new ChatTemplate(path, source, tokens);
    throw new ModelError(`${path}: has no chat_template; a conversation needs one, take an instruction-tuned model`);
  }

  /**
   * The turns' texts, which put together are the conversation's.
   * @throws InputError naming the turn whose text changes when others follow it, or that the template alters.
   */
  turns(conversation: Conversation): TurnText[] {
    return this.#guess(conversation, false) ?? this.#lookAt(conversation);
  }

  /** As {@link turns}, and behind them an assistant's turn that was opened and nothing said in it. */
  opened(conversation: Conversation): TurnText[] {
    const guess = this.#guess(conversation, true);
    if (guess !== undefined) return guess;
    const turns = this.#lookAt(conversation);
    const before = turns.map(({ header, text, footer }) => header + text + footer).join('');
    const opener = { header: this.#opener(conversation, before), footer: '' };
    this.#frames.set(frameKey('opener', conversation.length), opener);
    return [...turns, { ...opener, text: '' }];
  }

  /** One rendering instead of three a turn: what was seen of each role before, if the template says the same now. */
  #guess(conversation: Conversation, open: boolean): TurnText[] | undefined {
    const seen = conversation.map(({ role, text }, at) => ({ frame: this.#frames.get(frameKey(role, at)), text }));
    if (open) seen.push({ frame: this.#frames.get(frameKey('opener', conversation.length)), text: '' });
    if (seen.some(({ frame }) => frame === undefined)) return undefined;
    const turns = seen.map(({ frame, text }) => ({ ...frame!, text })); // all are there
    const whole = turns.map(({ header, text, footer }) => header + text + footer).join('');
    return this.#render(conversation, open) === whole ? turns : undefined;
  }

  #lookAt(conversation: Conversation): TurnText[] {
    let before = '';
    return conversation.map((turn, at) => {
      const earlier = conversation.slice(0, at);
      const whole = this.#render([...earlier, turn], false);
      if (!whole.startsWith(before)) throw this.#unstable(conversation[at - 1]!, at - 1);
      const header = turn.role === 'assistant' ? this.#opener(earlier, before) : this.#headerOf(turn, earlier, before);
      if (header === undefined || !whole.startsWith(before + header + turn.text)) throw this.#altered(turn, at);
      const footer = whole.slice(before.length + header.length + turn.text.length);
      this.#frames.set(frameKey(turn.role, at), { header, footer });
      before = whole;
      return { header, text: turn.text, footer };
    });
  }

  /** What opens an assistant's turn after `conversation`, whose own text is `before`. */
  #opener(conversation: Conversation, before: string): string {
    const whole = this.#render(conversation, true);
    if (whole.startsWith(before)) return whole.slice(before.length);
    throw this.#unstable(conversation.at(-1)!, conversation.length - 1);
  }

  /** What the template writes before a turn's text; undefined where it drops the text. */
  #headerOf(turn: Turn, earlier: Conversation, before: string): string | undefined {
    const marked = this.#render([...earlier, { ...turn, text: MARKER }], false);
    const at = marked.indexOf(MARKER);
    return at < before.length ? undefined : marked.slice(before.length, at);
  }

  #render(conversation: Conversation, open: boolean): string {
    const messages = conversation.map(({ role, text }) => ({ role, content: text }));
    try {
      return this.#template.render({ ...this.#tokens, messages, add_generation_prompt: open });
    } catch (error) {
      throw new InputError(`${this.#path}: the chat template refuses a conversation: ${firstLine(error)}`);
    }
  }

  #unstable({ role }: Turn, at: number): InputError {
    const what = `writes turn ${at + 1} (${role}) otherwise once another follows`;
    return new InputError(`${this.#path}: the chat template ${what}; use a template that only appends`);
  }

  #altered({ role }: Turn, at: number): InputError {
    const what = `does not keep the text of turn ${at + 1} (${role}) as it is`;
    return new InputError(`${this.#path}: the chat template ${what}; use a template that does`);
  }
}

/** Stands for a turn's text where its place is looked for; no template writes it. */
const MARKER = '\u0000text\u0000';

const firstLine = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
