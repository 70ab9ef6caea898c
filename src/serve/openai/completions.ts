import type { TokenIds } from '../../engine/engine.ts';
import type { ServedModel } from '../served-model.ts';
import { badRequest } from './api-error.ts';
import { anySeed, type Choice, type ChoiceRequest, choose } from './choice.ts';
import { type CompletionBody, completionBody } from './completion-body.ts';
import { type Answer, Envelope, usage } from './envelope.ts';
import { piecesOf } from './pieces.ts';
import { readBody } from './read-body.ts';
import { checkLength, knownTokens, tokensOf } from './tokens-of.ts';

/** @file POST /v1/completions */

/** Choices of one request: more belong into several. */
const MOST_CHOICES = 1024;

/** @throws ApiError for what is wrong with the body. */
export async function answerCompletion(model: ServedModel, given: unknown, signal: AbortSignal): Promise<Answer> {
  const body = readBody(completionBody, given);
  const requests = readRequests(model, body);
  const choices = (await Promise.all(requests.map((request) => choose(model, request, signal)))).flat();
  const spent = usage(
    requests.reduce((sum, { prompt }) => sum + prompt.length, 0),
    choices,
  );
  const envelope = new Envelope('cmpl', model.id);
  if (body.stream) return { events: events(envelope, body, choices, spent) };
  const shown = choices.map((choice, index) => wholeChoice(choice, index, body));
  return { body: { ...envelope.open('text_completion'), choices: shown, usage: spent } };
}

function readRequests(model: ServedModel, body: CompletionBody): ChoiceRequest[] {
  const count = body.prompt.length * body.n;
  if (count > MOST_CHOICES) {
    throw badRequest(`n times the prompts makes ${count} choices; at most ${MOST_CHOICES} are possible`, 'n');
  }
  const seed = body.seed ?? anySeed();
  const single = body.prompt.length === 1;
  return body.prompt.map((prompt, at) => {
    const param = single ? 'prompt' : `prompt[${at}]`;
    return readRequest(model, body, readPrompt(model, prompt, param), seed + at, param);
  });
}

function readPrompt(model: ServedModel, prompt: string | TokenIds, param: string): TokenIds {
  return tokensOf(param, () =>
    typeof prompt === 'string' ? model.format.encode(prompt) : knownTokens(param, prompt, model),
  );
}

function readRequest(
  model: ServedModel,
  body: CompletionBody,
  prompt: TokenIds,
  seed: number,
  param: string,
): ChoiceRequest {
  checkLength(prompt, body.max_tokens, param, model);
  return {
    prompt,
    maxTokens: body.max_tokens,
    temperature: body.temperature,
    topP: body.top_p,
    topK: body.top_k,
    samples: body.n,
    seed,
    stops: body.stop,
    echo: body.echo,
    top: body.logprobs,
  };
}

function wholeChoice(choice: Choice, index: number, { logprobs }: CompletionBody): object {
  return {
    index,
    text: choice.text,
    logprobs: logprobs === undefined ? null : columns([...piecesOf(choice)]),
    finish_reason: choice.finishReason,
  };
}

type Pieces = readonly { readonly start: number; readonly token: Choice['tokens'][number] }[];

/** @see https://platform.openai.com/docs/api-reference/completions/object */
function columns(pieces: Pieces): object {
  const tokens = pieces.map(({ token }) => token);
  return {
    tokens: tokens.map(({ piece }) => piece),
    token_logprobs: tokens.map(({ logprob }) => logprob ?? null),
    top_logprobs: tokens.map(topByText),
    text_offset: pieces.map(({ start }) => start),
  };
}

/** The likeliest, and the token itself where it is not among them. Of two with one text the second goes by its id. */
function topByText({ id, text, logprob, top }: Choice['tokens'][number]): object | null {
  if (logprob === undefined) return null;
  const byText = new Map<string, number>();
  const others = top.filter((one) => one.id !== id);
  for (const one of [{ id, text, logprob }, ...others]) {
    byText.set(byText.has(one.text) ? `token_id:${one.id}` : one.text, one.logprob);
  }
  return Object.fromEntries(byText);
}

/** Token by token, and why each choice ended. */
function* events(
  envelope: Envelope,
  body: CompletionBody,
  choices: readonly Choice[],
  spent: object,
): Generator<object> {
  const open = envelope.open('text_completion');
  const last = body.stream_options?.include_usage === true ? { usage: null } : {};
  const chunk = (index: number, text: string, logprobs: object | null, finish_reason: string | null) => {
    return { ...open, choices: [{ index, text, logprobs, finish_reason }], ...last };
  };
  for (const [index, choice] of choices.entries()) {
    for (const piece of piecesOf(choice)) {
      yield chunk(index, piece.content, body.logprobs === undefined ? null : columns([piece]), null);
    }
    yield chunk(index, '', null, choice.finishReason);
  }
  if (body.stream_options?.include_usage === true) yield { ...open, choices: [], usage: spent };
}
