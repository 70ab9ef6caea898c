import { z } from 'zod';
import { saidFailure } from '../http/failure.ts';
import { type Answer, type AnswerToken, answerToken } from './answer.ts';
import { type Ask, compact, type Dialect, isOpen, type Message, messagesOf, type Request } from './request.ts';

/**
 * @file OpenAI's chat completions, as vLLM, SGLang, llama.cpp, Ollama, LiteLLM and `transformers serve` speak them:
 * https://platform.openai.com/docs/api-reference/chat/create. What goes beyond it (`continue_final_message`,
 * `prompt_logprobs`) is vLLM's: https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
 */

export function chatRequest(model: string, ask: Ask, dialect: Dialect): Request {
  const messages = messagesOf(ask.conversation, dialect.mergeTurns);
  const open = isOpen(ask.conversation);
  const body = compact({
    model,
    messages: open && dialect.prefill === 'prefix' ? markedOpen(messages) : messages,
    [dialect.maxTokens]: ask.maxTokens,
    temperature: dialect.temperature ? ask.temperature : undefined,
    top_p: ask.topP,
    seed: dialect.seed ? ask.seed : undefined,
    stop: ask.stop,
    n: ask.samples > 1 ? ask.samples : undefined,
    ...(ask.tokens ? { logprobs: true, top_logprobs: 1 } : {}),
    ...(ask.prompt === 'prompt_logprobs' ? { prompt_logprobs: 1 } : {}),
    ...(open && dialect.prefill === 'continue_final_message' ? GO_ON : {}),
  });
  return { path: '/chat/completions', body, read: (json) => readChat(json, ask.samples) };
}

const GO_ON = { continue_final_message: true, add_generation_prompt: false };

/** Mistral, DeepSeek and LiteLLM: the last message says that it is only the beginning. */
function markedOpen(messages: readonly Message[]): (Message & { prefix?: true })[] {
  return messages.map((message, at) => (at === messages.length - 1 ? { ...message, prefix: true } : message));
}

const likeliest = z.array(z.object({ logprob: z.number() })).nullish();

const replySchema = z.object({
  choices: z
    .array(
      z.object({
        message: z.object({
          content: z.string().nullish(),
          reasoning_content: z.string().nullish(),
          reasoning: z.string().nullish(),
        }),
        finish_reason: z.string().nullish(),
        error: z.unknown().optional(),
        logprobs: z
          .object({
            content: z
              .array(z.object({ token: z.string(), logprob: z.number().nullish(), top_logprobs: likeliest }))
              .nullish(),
          })
          .nullish(),
      }),
    )
    .min(1),
  usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number() }).nullish(),
  prompt_logprobs: z
    .array(
      z
        .record(
          z.string(),
          z.object({ logprob: z.number(), rank: z.number().nullish(), decoded_token: z.string().nullish() }),
        )
        .nullable(),
    )
    .nullish(),
});

type Choice = z.infer<typeof replySchema>['choices'][number];

function readChat(json: unknown, samples: number): Answer {
  const { choices, usage, prompt_logprobs: prompt } = replySchema.parse(json);
  const thought = choices.some(({ message }) => message.reasoning_content || message.reasoning);
  return {
    replies: choices.slice(0, samples).map(readChoice),
    ...(prompt ? { promptTokens: prompt.flatMap(readPromptToken) } : {}),
    ...(usage ? { used: { prompt: usage.prompt_tokens, completion: usage.completion_tokens } } : {}),
    ...(thought ? { thought } : {}),
  };
}

/** No content is an empty reply: the model said nothing, which is its answer, and no verifier takes it for a right one. */
function readChoice(choice: Choice): Answer['replies'][number] {
  const { message, finish_reason, logprobs } = choice;
  if (finish_reason === 'error') throw saidFailure(choice); // OpenRouter: the model's provider failed on the way
  const tokens = logprobs?.content?.map(({ token, logprob, top_logprobs }) =>
    answerToken(token, logprob, top_logprobs?.[0]?.logprob),
  );
  return {
    text: message.content ?? '',
    stopReason: stopReasonOf(finish_reason),
    ...(tokens ? { tokens } : {}),
  };
}

/** In the words of OpenAI's protocols. */
export function stopReasonOf(reason: string | null | undefined): Answer['replies'][number]['stopReason'] {
  if (reason === 'content_filter') return 'filtered';
  return reason === 'length' ? 'length' : 'stop';
}

type PromptEntry = NonNullable<z.infer<typeof replySchema>['prompt_logprobs']>[number];

/** The token that stands there, and the likeliest: one entry where they are the same. The first token has none. */
function readPromptToken(entry: PromptEntry): AnswerToken[] {
  if (entry === null) return [];
  const candidates = Object.values(entry);
  const own = candidates.find(({ rank }) => rank !== 1) ?? candidates[0];
  if (!own) return [];
  return [answerToken(own.decoded_token ?? '', own.logprob, Math.max(...candidates.map(({ logprob }) => logprob)))];
}
