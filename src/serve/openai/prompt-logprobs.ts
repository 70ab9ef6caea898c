import type { TokenIds } from '../../engine/engine.ts';
import type { ServedModel } from '../served-model.ts';

/** By token id; `rank` counts from the likeliest, null beyond those that were asked for. */
type Candidates = Readonly<Record<number, { logprob: number; rank: number | null; decoded_token: string }>>;

/**
 * What the model thought of each token of a prompt, beside the `top` likeliest in its place; null for the first.
 * @see https://docs.vllm.ai/en/latest/api/vllm/logprobs.html
 */
export async function promptLogprobs(
  model: ServedModel,
  prompt: TokenIds,
  top: number,
  signal: AbortSignal,
): Promise<(Candidates | null)[]> {
  const k = Math.min(top, model.vocabSize);
  const score = await model.score({ tokens: prompt, top: k }, signal);
  const named = (token: number, logprob: number, rank: number | null) => {
    return [token, { logprob, rank, decoded_token: model.format.decode([token]) }] as const;
  };
  return prompt.map((token, place) => {
    if (place === 0) return null;
    const likeliest = Array.from({ length: k }, (_, nth) => {
      const at = (place - 1) * k + nth; // position t predicts token t + 1
      return named(score.top!.tokens[at]!, score.top!.logprobs[at]!, nth + 1);
    });
    return Object.fromEntries([named(token, score.logprobs[place]!, null), ...likeliest]);
  });
}
