import type { ServedModel } from '../served-model.ts';
import { badRequest } from './api-error.ts';
import { type ChatBody, chatBody } from './chat-body.ts';
import { anySeed, type Choice, type ChoiceRequest, choose } from './choice.ts';
import { readConversation } from './conversation.ts';
import { type Answer, Envelope, usage } from './envelope.ts';
import { LiveText } from './live-text.ts';
import { piecesOf } from './pieces.ts';
import { promptLogprobs } from './prompt-logprobs.ts';
import { readBody } from './read-body.ts';
import { checkLength, tokensOf } from './tokens-of.ts';

/** @file POST /v1/chat/completions */

/** @throws ApiError for what is wrong with the body. */
export async function answerChat(model: ServedModel, given: unknown, signal: AbortSignal): Promise<Answer> {
  const body = readBody(chatBody, given);
  const request = readRequest(model, body);
  if (body.stream && body.prompt_logprobs !== undefined) throw notStreamed();
  const envelope = new Envelope('chatcmpl', model.id);
  if (body.stream) {
    const live = new LiveText(model, request, signal);
    await live.begun;
    return { events: events(envelope, body, request, live) };
  }
  const choices = await choose(model, request, signal);
  const spent = usage(request.prompt.length, choices);
  const shown = choices.map((choice, index) => wholeChoice(choice, index, body.logprobs));
  const answer = { ...envelope.open('chat.completion'), choices: shown, usage: spent };
  if (body.prompt_logprobs === undefined) return { body: answer };
  const ofPrompt = await promptLogprobs(model, request.prompt, body.prompt_logprobs, signal);
  return { body: { ...answer, prompt_logprobs: ofPrompt } };
}

function notStreamed(): Error {
  return badRequest('prompt_logprobs: not with stream: true', 'prompt_logprobs', 'invalid_value');
}

function readRequest(model: ServedModel, body: ChatBody): ChoiceRequest {
  const conversation = readConversation(body);
  const prompt = tokensOf('messages', () => model.format.prompt(conversation));
  const rest = Math.max(1, model.maxPositions - prompt.length);
  const maxTokens = maxTokensOf(body) ?? rest;
  checkLength(prompt, maxTokens, 'messages', model);
  return {
    prompt,
    maxTokens,
    temperature: body.temperature,
    topP: body.top_p,
    topK: body.top_k,
    samples: body.n,
    seed: body.seed ?? anySeed(),
    stops: body.stop,
    echo: false,
    top: topOf(body),
  };
}

/** The older name and the newer one. */
function maxTokensOf({ max_tokens, max_completion_tokens }: ChatBody): number | undefined {
  if (max_tokens === undefined || max_completion_tokens === undefined || max_tokens === max_completion_tokens) {
    return max_completion_tokens ?? max_tokens;
  }
  const message = `max_tokens is ${max_tokens} and max_completion_tokens ${max_completion_tokens}; give one of them`;
  throw badRequest(message, 'max_tokens', 'invalid_value');
}

function topOf({ logprobs, top_logprobs }: ChatBody): number | undefined {
  if (logprobs) return top_logprobs ?? 0;
  if (top_logprobs === undefined) return undefined;
  throw badRequest('top_logprobs: needs logprobs: true', 'top_logprobs', 'invalid_value');
}

function wholeChoice(choice: Choice, index: number, logprobs: boolean): object {
  return {
    index,
    message: { role: 'assistant', content: choice.text, refusal: null },
    logprobs: logprobs ? { content: choice.tokens.map(tokenLogprob), refusal: null } : null,
    finish_reason: choice.finishReason,
  };
}

/** @see https://platform.openai.com/docs/api-reference/chat/object */
function tokenLogprob({ piece, bytes, logprob, top }: Choice['tokens'][number]): object {
  const own = { token: piece, logprob: logprob!, bytes: [...bytes] }; // asked for
  return { ...own, top_logprobs: top.map((one) => ({ token: one.text, logprob: one.logprob, bytes: [...one.bytes] })) };
}

/** First each choice's role, then its text as it comes, then what is known at the end, and why it ended. */
async function* events(
  envelope: Envelope,
  body: ChatBody,
  { prompt, samples }: ChoiceRequest,
  live: LiveText,
): AsyncGenerator<object> {
  const open = envelope.open('chat.completion.chunk');
  const withUsage = body.stream_options?.include_usage === true;
  const chunk = (index: number, delta: object, logprobs: object | null, finish_reason: string | null) => {
    return { ...open, choices: [{ index, delta, logprobs, finish_reason }], ...(withUsage && { usage: null }) };
  };
  const told = Array<number>(samples).fill(0);
  for (const index of told.keys()) yield chunk(index, { role: 'assistant', content: '' }, null, null);
  for await (const { index, content } of live.pieces) {
    told[index]! += content.length;
    yield chunk(index, { content }, null, null);
  }
  const choices = await live.choices;
  for (const [index, choice] of choices.entries()) {
    for (const { content, start, token } of piecesOf(choice)) {
      const rest = content.slice(Math.max(0, told[index]! - start));
      const logprobs = body.logprobs ? { content: [tokenLogprob(token)], refusal: null } : null;
      if (rest !== '' || told[index] === 0) yield chunk(index, { content: rest }, logprobs, null);
    }
    yield chunk(index, {}, null, choice.finishReason);
  }
  if (withUsage) yield { ...open, choices: [], usage: usage(prompt.length, choices) };
}
