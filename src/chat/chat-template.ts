import type { Conversation, Turn } from '../conversation/conversation.ts';
import { InputError, ModelError } from '../errors.ts';
import { compile, type JinjaTemplate, TemplateRefusal } from './jinja.ts';
import { readTemplateFile, type TemplateFile } from './template-file.ts';

/** @file A model's chat template: which text a conversation is. */

/** Where a turn's own text stands in a rendered conversation, in UTF-16 units, `end` exclusive. */
export type Place = { readonly start: number; readonly end: number };

/** `closed`: every turn is ended. `prompt`: the model writes next, in a new turn or in the open last one. */
export type Rendering = 'closed' | 'prompt';

/** Renders conversations to the same text as `apply_chat_template` of Python's transformers. */
export class ChatTemplate {
  /** The text of the token that ends a turn, where the folder names one. */
  readonly endOfTurn: string | undefined;
  readonly #file: TemplateFile;
  readonly #template: JinjaTemplate;

  private constructor(file: TemplateFile) {
    this.#file = file;
    this.endOfTurn = file.tokens.eos_token;
    try {
      this.#template = compile(file.source);
    } catch (error) {
      throw new ModelError(`${file.path}: the chat template cannot be parsed: ${firstLine(error)}`);
    }
  }

  /** @throws ModelError where the folder has no chat template, or one that cannot be parsed. */
  static async open(folder: string): Promise<ChatTemplate> {
    return new ChatTemplate(await readTemplateFile(folder));
  }

  /** Renders a conversation. @throws InputError with the reason where the template refuses it or drops an open turn. */
  render(conversation: Conversation, rendering: Rendering): string {
    if (rendering === 'closed') return this.#run(conversation, false);
    const last = conversation.at(-1);
    return last?.role === 'assistant' ? this.#continued(conversation, last) : this.#run(conversation, true);
  }

  /**
   * Finds the text of a turn in the rendered conversation: at full length, or without the blanks at its ends where the
   * template trims. Undefined where the template drops or alters the text.
   */
  placeOf(conversation: Conversation, at: number, rendering: Rendering): Place | undefined {
    const { text } = conversation[at]!; // callers ask for turns that are there
    const whole = this.render(conversation, rendering);
    const marked = this.render(withText(conversation, at, text + MARKER), rendering);
    const [before, behind, ...more] = marked.split(MARKER);
    if (before === undefined || behind === undefined || more.length > 0 || !whole.endsWith(behind)) return undefined;
    const head = whole.slice(0, whole.length - behind.length);
    const written = [text, text.trimEnd(), text.trimStart(), text.trim()].find((one) => {
      return head.endsWith(one) && before.startsWith(head.slice(0, head.length - one.length));
    });
    return written === undefined ? undefined : { start: head.length - written.length, end: head.length };
  }

  /** The error for a turn whose text cannot be found in what the template writes. */
  altered({ role }: Turn, at: number): InputError {
    return new InputError(
      `${this.#file.path}: the chat template does not keep the text of turn ${at + 1} (${role}) as it is`,
    );
  }

  /** As `continue_final_message` does: a mark behind the last turn's text shows where to cut, blanks in front included. */
  #continued(conversation: Conversation, last: Turn): string {
    const at = conversation.length - 1;
    const marked = this.#run(withText(conversation, at, last.text + OPEN_END), false);
    const cut = marked.lastIndexOf(OPEN_END.trim());
    if (cut < 0 || !marked.includes(last.text.trim())) throw this.altered(last, at);
    const kept = marked.slice(0, cut);
    return marked.startsWith(OPEN_END, cut) ? kept : kept.trimEnd();
  }

  #run(conversation: Conversation, add_generation_prompt: boolean): string {
    const { path, tokens } = this.#file;
    const messages = conversation.map(({ role, text }) => ({ role, content: text }));
    try {
      return this.#template({ ...tokens, messages, tools: null, documents: null, add_generation_prompt });
    } catch (error) {
      const what = error instanceof TemplateRefusal ? 'refuses a conversation' : 'cannot be rendered';
      throw new InputError(`${path}: the chat template ${what}: ${firstLine(error)}`);
    }
  }
}

/** Stands behind a turn's text where its end is looked for; no template writes it and none trims it. */
const MARKER = '\u{E000}end\u{E000}';

/** Ends in a blank, which is gone where the template trims. */
const OPEN_END = 'CONTINUE_FINAL_MESSAGE_TAG ';

const withText = (conversation: Conversation, at: number, text: string): Conversation =>
  conversation.map((turn, index) => (index === at ? { ...turn, text } : turn));

const firstLine = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
