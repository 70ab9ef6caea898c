import { z } from 'zod';
import { type Answer, answerToken } from './answer.ts';
import { stopReasonOf } from './openai-chat.ts';
import { type Ask, compact, type Dialect, type Render, type Request } from './request.ts';

/**
 * @file OpenAI's completions: a prompt that was rendered here goes on. The one way in which any server that has it
 * continues an open turn, and, with `echo`, shows what it thought of the prompt's own tokens.
 * https://platform.openai.com/docs/api-reference/completions/create
 */

export function completionsRequest(model: string, ask: Ask, dialect: Dialect, render: Render): Request {
  const prompt = render(ask.conversation);
  const echo = ask.prompt === 'echo';
  const body = compact({
    model,
    prompt,
    max_tokens: ask.maxTokens,
    temperature: ask.temperature,
    top_p: ask.topP,
    seed: dialect.seed ? ask.seed : undefined,
    stop: ask.stop,
    n: ask.samples > 1 ? ask.samples : undefined,
    logprobs: ask.tokens || echo ? 1 : undefined,
    echo: echo || undefined,
    add_special_tokens: false, // vLLM: the rendered prompt has them already
  });
  return { path: '/completions', body, read: (json) => readCompletions(json, ask.samples, echo ? prompt : undefined) };
}

const replySchema = z.object({
  choices: z
    .array(
      z.object({
        text: z.string().nullish(),
        finish_reason: z.string().nullish(),
        logprobs: z
          .object({
            tokens: z.array(z.string()),
            token_logprobs: z.array(z.number().nullable()),
            top_logprobs: z.array(z.record(z.string(), z.number()).nullable()).nullish(),
          })
          .nullish(),
      }),
    )
    .min(1),
  usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number() }).nullish(),
});

type Choice = z.infer<typeof replySchema>['choices'][number];

function readCompletions(json: unknown, samples: number, echoed: string | undefined): Answer {
  const { choices, usage } = replySchema.parse(json);
  const used = usage ? { used: { prompt: usage.prompt_tokens, completion: usage.completion_tokens } } : {};
  if (echoed === undefined) return { replies: choices.slice(0, samples).map(readChoice), ...used };
  return { replies: [{ text: '', stopReason: 'length' }], promptTokens: echoedTokens(choices[0]!, echoed), ...used }; // at least one
}

function readChoice(choice: Choice): Answer['replies'][number] {
  return {
    text: choice.text ?? '',
    stopReason: stopReasonOf(choice.finish_reason),
    ...(choice.logprobs ? { tokens: tokensOf(choice) } : {}),
  };
}

function tokensOf({ logprobs }: Choice) {
  return logprobs!.tokens.map((text, at) => {
    const likeliest = Object.values(logprobs!.top_logprobs?.[at] ?? {});
    return answerToken(text, logprobs!.token_logprobs[at], likeliest.length > 0 ? Math.max(...likeliest) : undefined);
  });
}

/** The tokens of the prompt, without what was sampled behind it. */
function echoedTokens(choice: Choice, prompt: string) {
  if (!choice.logprobs) throw new TypeError('an echo without logprobs');
  let length = 0;
  const tokens = tokensOf(choice).filter(({ text }) => {
    const within = length < prompt.length;
    length += text.length;
    return within;
  });
  return tokens;
}
