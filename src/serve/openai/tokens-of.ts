import type { TokenIds } from '../../engine/engine.ts';
import { InputError, ModelError } from '../../errors.ts';
import type { ServedModel } from '../served-model.ts';
import { badRequest } from './api-error.ts';

/**
 * What the model reads, from the field `param`.
 * @throws ApiError 400: text outside the vocabulary, a conversation that the template refuses, or nothing at all.
 */
export function tokensOf(param: string, encode: () => TokenIds): TokenIds {
  const tokens = encoded(param, encode);
  if (tokens.length > 0) return tokens;
  throw badRequest(`${param}: no token at all; the model needs one to go on from`, param, 'invalid_value');
}

function encoded(param: string, encode: () => TokenIds): TokenIds {
  try {
    return encode();
  } catch (error) {
    // a tokenizer that stumbles over this text has nothing to say about the next one
    if (!(error instanceof InputError || error instanceof ModelError)) throw error;
    throw badRequest(`${param}: ${error.message}`, param, 'invalid_value');
  }
}

/** @throws ApiError 400 on an id that the model has not. */
export function knownTokens(param: string, tokens: TokenIds, { vocabSize }: ServedModel): TokenIds {
  const stranger = tokens.find((token) => token >= vocabSize);
  if (stranger === undefined) return tokens;
  throw badRequest(`${param}: token ${stranger} is unknown; ids are 0 to ${vocabSize - 1}`, param, 'invalid_value');
}

/** @throws ApiError 400 with the numbers, where prompt and continuation are longer than the model's context. */
export function checkLength(
  prompt: TokenIds,
  maxTokens: number,
  param: string,
  { id, maxPositions }: ServedModel,
): void {
  if (prompt.length + maxTokens <= maxPositions) return;
  const asked = `the prompt has ${prompt.length} tokens and ${maxTokens} more are asked for`;
  const message = `${asked}, together ${prompt.length + maxTokens}; ${id} has a context of ${maxPositions}`;
  throw badRequest(message, param, 'context_length_exceeded');
}
