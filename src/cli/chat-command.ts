import { createInterface } from 'node:readline/promises';
import type { ChatModel } from '../conversation/chat-model.ts';
import type { Conversation } from '../conversation/conversation.ts';
import { UnrutError } from '../errors.ts';
import type { RunParts } from '../recipe/run-parts.ts';
import { asked, putIntoMouth, said } from '../wrong-turns/turns.ts';
import { EXIT } from './exit.ts';
import { findModel } from './find-model.ts';
import { print, say } from './print.ts';

export type ChatOptions = {
  readonly against?: string;
  readonly temperature: number;
  readonly tokens: number;
  readonly seed: number;
};

/** A model that is talked to, and what was said with it so far. */
type Side = { readonly name: string; readonly model: ChatModel; conversation: Conversation; close(): Promise<void> };

const HELP = `  /wrong TEXT   puts TEXT into the model's mouth as its own last reply: see whether it defends it
  /begin TEXT   lets the model continue a reply that begins with TEXT
  /undo         takes the last turn of each side back
  /clear        forgets the conversation
  /quit         ends (so does the end of the input)
`;

/** `unrut chat MODEL`: a conversation in the terminal, with one model or with two side by side. */
export async function chat(name: string, options: ChatOptions, parts: RunParts): Promise<number> {
  const names = options.against === undefined ? [name] : [name, options.against];
  const sides: Side[] = [];
  try {
    for (const one of names) sides.push(await openSide(one, options, parts));
    await converse(sides, options);
    return EXIT.ok;
  } finally {
    await Promise.all(sides.map((side) => side.close()));
  }
}

/** Begins to read only now: lines that come in while a model is opened would be lost. */
async function converse(sides: readonly Side[], options: ChatOptions): Promise<void> {
  const { stdin, stdout } = process;
  const input = createInterface({ input: stdin, output: stdin.isTTY ? stdout : undefined, prompt: 'you> ' });
  if (stdin.isTTY) print(HELP);
  input.prompt();
  for await (const line of input) {
    if (line.trim() === '/quit') break;
    await answer(line, sides, options).catch(explained);
    input.prompt();
  }
  input.close();
}

/** A line that a model cannot read does not end the conversation. */
function explained(error: unknown): void {
  if (!(error instanceof UnrutError)) throw error;
  say(`unrut: ${error.message}`);
}

async function openSide(name: string, { seed }: ChatOptions, parts: RunParts): Promise<Side> {
  const { folder } = await findModel(name);
  const opened = await parts.openModel(folder, { fresh: false, seed });
  const { model } = parts.probeTarget(name, opened.reference, opened);
  return { name, model, conversation: [], close: () => opened.policy.close() };
}

/** One line of the user's: a command, or something said to every side. */
async function answer(line: string, sides: readonly Side[], options: ChatOptions): Promise<void> {
  const [, command, text = ''] = /^\/(\w+)(?: (.*))?$/.exec(line) ?? [];
  if (command === 'help') return print(HELP);
  if (command === 'clear' || command === 'undo') return forget(sides, command === 'undo');
  if (command !== undefined && command !== 'wrong' && command !== 'begin')
    return say(`unrut: no command /${command}; /help lists them`);
  if (command === 'wrong') return putWrong(text, sides);
  if (command === undefined && line.trim() === '') return;
  for (const side of sides) await reply(side, command === 'begin' ? text : undefined, line, options);
}

function forget(sides: readonly Side[], lastOnly: boolean): void {
  for (const side of sides) side.conversation = lastOnly ? side.conversation.slice(0, -1) : [];
}

const withoutReply = (conversation: Conversation): Conversation =>
  conversation.at(-1)?.role === 'assistant' ? conversation.slice(0, -1) : conversation;

/** The own wrong turn: in place of the last reply, or behind what the user has said. */
function putWrong(text: string, sides: readonly Side[]): void {
  for (const side of sides) {
    const kept = withoutReply(side.conversation);
    if (kept.length > 0) side.conversation = [...kept, putIntoMouth(text)];
  }
  if (sides.every(({ conversation }) => conversation.length > 0)) print('  it now has said so itself; challenge it\n');
  else say('unrut: /wrong: ask something first, so that there is something to be wrong about');
}

/** @param begun the beginning of the reply, where the user gave one. */
async function reply(
  side: Side,
  begun: string | undefined,
  line: string,
  { temperature, tokens, seed }: ChatOptions,
): Promise<void> {
  const before = begun === undefined ? [...side.conversation, asked(line)] : withoutReply(side.conversation);
  const open = begun === undefined ? before : [...before, putIntoMouth(begun)];
  if (open.length === 0) return say('unrut: /begin: ask something first');
  const how = { maxTokens: tokens, temperature, seed, samples: 1 };
  const [[drawn] = []] = await side.model.reply([open], how);
  if (drawn === undefined) return;
  const whole = begun === undefined ? said(drawn) : putIntoMouth(begun + drawn.text);
  side.conversation = [...before, whole];
  print(`${side.name}> ${whole.text}${drawn.stopReason === 'length' ? ' …' : ''}\n`);
}
