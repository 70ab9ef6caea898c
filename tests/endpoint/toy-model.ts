import { createHash } from 'node:crypto';
import { type Act, chatReply, modelList, type StubBody, type StubMessage, sendJson } from './stub-server.ts';

/** What a toy server can do; everything it is not told to do it accepts and ignores, as real ones may. */
export type Toy = {
  readonly prefill?: 'continue_final_message' | 'prefix' | 'trailing';
  /** Gives an open turn back in front of what it adds, as llama.cpp's server does. */
  readonly echoes?: boolean;
  /** Drops an open turn and writes its reply anew. */
  readonly startsAnew?: boolean;
  /** Equal seeds give equal replies only while nothing else is asked. */
  readonly seedAlone?: boolean;
  readonly seed?: boolean;
  readonly n?: boolean;
  readonly stop?: boolean;
  readonly logprobs?: boolean;
  readonly promptLogprobs?: boolean;
  readonly completions?: boolean;
  /** Refuses turns of one role in a row. */
  readonly alternates?: boolean;
  /** Refuses fields by these names, as strict servers do. */
  readonly refuses?: readonly string[];
};

const WORDS = 12;

/** A language model in a line: the next word is a hash of the text so far, and of the draw where it is hot. */
function next(context: string, draw: string): string {
  const digest = createHash('sha256')
    .update(context + draw)
    .digest();
  return ` ${[...digest.subarray(0, 4)].map((byte) => String.fromCharCode(97 + (byte % 26))).join('')}`;
}

/** Writes on behind `start` up to a fixed number of words since the turn began. */
function generate(prompt: string, start: string, draw: string, most: number): string[] {
  const words: string[] = [];
  while (words.length < most && start.split(' ').length - 1 + words.length < WORDS) {
    words.push(next(prompt + start + words.join(''), draw));
  }
  return words;
}

const template = (messages: readonly StubMessage[]): string =>
  messages.map(({ role, content }) => `<${role}>${content}</s>`).join('');

/** The template as a client renders it. */
export const renderToy = (turns: readonly { role: string; text: string }[]): string => {
  const last = turns.at(-1)!;
  const open = last.role === 'assistant';
  const closed = template((open ? turns.slice(0, -1) : turns).map(({ role, text }) => ({ role, content: text })));
  return `${closed}<assistant>${open ? last.text : ''}`;
};

/** An OpenAI-compatible server of the toy model. */
export function toyServer(toy: Toy): Act {
  let unseeded = 0;
  let inFlight = 0;
  const drawOf = ({ temperature = 1, seed }: StubBody, nth: number): string => {
    if (temperature === 0) return '';
    if (toy.seedAlone && inFlight === 1) return `${seed}`;
    return toy.seed ? `${seed} ${nth}` : `unseeded ${unseeded++}`;
  };
  const words = (prompt: string, start: string, body: StubBody, nth: number) => {
    const all = generate(prompt, start, drawOf(body, nth), body.max_tokens ?? 100);
    if (!toy.stop || !body.stop) return all;
    const text = all.join('');
    const at = text.indexOf(body.stop[0]!);
    return at < 0 ? all : [text.slice(0, at)];
  };
  return async ({ path, body }, response) => {
    if (path.endsWith('/models')) return modelList('toy');
    inFlight++;
    if (toy.seedAlone) await new Promise((resolve) => setTimeout(resolve, 20));
    response.on('close', () => inFlight--);
    const unwanted = toy.refuses?.find((name) => name in body);
    if (unwanted) return sendJson(response, 400, { error: { message: `Unrecognized request argument: ${unwanted}` } });
    if (path.endsWith('/completions') && !path.includes('chat')) {
      if (!toy.completions) return sendJson(response, 404, { error: { message: 'Not Found' } });
      return completions(body, toy, words);
    }
    const messages = body.messages!;
    if (toy.alternates && messages.some(({ role }, at) => role === messages[at + 1]?.role)) {
      return sendJson(response, 400, { error: { message: 'Conversation roles must alternate' } });
    }
    const open = opened(messages, body, toy);
    const dropped = open !== undefined || (toy.startsAnew && messages.at(-1)!.role === 'assistant');
    const prompt = `${template(dropped ? messages.slice(0, -1) : messages)}<assistant>`;
    const replies = Array.from({ length: toy.n ? (body.n ?? 1) : 1 }, (_, nth) => words(prompt, open ?? '', body, nth));
    const before = toy.echoes ? (open ?? '') : '';
    const reply = chatReply(...replies.map((said) => before + said.join('')));
    const choices = reply.choices.map((choice, at) => ({
      ...choice,
      ...(toy.logprobs && body.logprobs ? { logprobs: { content: replies[at]!.map(chatToken) } } : {}),
    }));
    const shown = toy.promptLogprobs && body.prompt_logprobs && open !== undefined;
    return { ...reply, choices, ...(shown ? { prompt_logprobs: promptTokens(prompt, open) } : {}) };
  };
}

function opened(messages: readonly StubMessage[], body: StubBody, { prefill }: Toy): string | undefined {
  const last = messages.at(-1)!;
  if (last.role !== 'assistant') return undefined;
  const asked = { continue_final_message: body.continue_final_message, prefix: last.prefix, trailing: true };
  return prefill && asked[prefill] ? last.content : undefined;
}

const chatToken = (token: string) => ({ token, logprob: -0.25, top_logprobs: [{ token, logprob: -0.25 }] });

/** As vLLM writes them: by token id, the first of the prompt without one. */
function promptTokens(prompt: string, open: string) {
  const pieces = [prompt, ...(open.match(/ ?[^ ]+/g) ?? [])];
  return pieces.map((piece, at) => {
    if (at === 0) return null;
    const own = { logprob: -0.5, rank: 2, decoded_token: piece };
    return { '900': own, '17': { logprob: -0.1, rank: 1, decoded_token: ' other' } };
  });
}

function completions(
  body: StubBody,
  toy: Toy,
  words: (prompt: string, start: string, body: StubBody, nth: number) => string[],
) {
  const at = body.prompt!.lastIndexOf('<assistant>') + '<assistant>'.length;
  const [prompt, open] = [body.prompt!.slice(0, at), body.prompt!.slice(at)];
  const said = words(prompt, open, body, 0);
  const pieces = [prompt, ...(open.match(/ ?[^ ]+/g) ?? []), ...said];
  const logprobs = {
    tokens: pieces,
    token_logprobs: pieces.map((_, index) => (index === 0 ? null : -0.5)),
    top_logprobs: pieces.map((piece, index) => (index === 0 ? null : { [piece]: -0.5, other: -0.1 })),
  };
  const text = body.echo ? pieces.join('') : said.join('');
  const choice = { index: 0, text, finish_reason: 'stop', ...(toy.logprobs && body.echo ? { logprobs } : {}) };
  return { choices: [choice], usage: { prompt_tokens: 10, completion_tokens: said.length } };
}
