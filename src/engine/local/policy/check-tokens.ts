import { EngineError } from '../../../errors.ts';
import type { SamplingParams, TokenIds } from '../../engine.ts';
import type { ModelConfig } from '../model/model-config.ts';

/** @throws EngineError naming what the engine cannot carry out, and what it could. */
export function checkSampling(prompts: readonly TokenIds[], how: SamplingParams, config: ModelConfig): void {
  const { maxTokens, temperature, topP = 1, topK = 1, samples } = how;
  refuseUnless(Number.isInteger(maxTokens) && maxTokens >= 1, `maxTokens is ${maxTokens}; ask for at least 1`);
  refuseUnless(Number.isInteger(samples) && samples >= 1, `samples is ${samples}; ask for at least 1`);
  refuseUnless(temperature >= 0 && temperature < Infinity, `temperature is ${temperature}; it is 0 (greedy) or more`);
  refuseUnless(topP > 0 && topP <= 1, `topP is ${topP}; it is above 0 and at most 1`);
  refuseUnless(Number.isInteger(topK) && topK >= 1, `topK is ${topK}; keep at least 1 token, or leave it out`);
  const seeds = how.seeds?.length ?? prompts.length;
  refuseUnless(seeds === prompts.length, `there are ${seeds} seeds for ${prompts.length} prompts; give one for each`);
  prompts.forEach((prompt, index) => {
    checkSequence(prompt, `prompt ${index}`, config);
    const total = prompt.length + maxTokens;
    refuseUnless(
      total <= config.maxPositions,
      `prompt ${index} has ${prompt.length} tokens, with maxTokens ${total}; the model has ${config.maxPositions} positions`,
    );
  });
}

/** @throws EngineError if a sequence is empty, too long or holds an id that the model does not know. */
export function checkSequences(sequences: readonly TokenIds[], config: ModelConfig): void {
  sequences.forEach((sequence, index) => {
    checkSequence(sequence, `sequence ${index}`, config);
    refuseUnless(
      sequence.length <= config.maxPositions,
      `sequence ${index} has ${sequence.length} tokens; the model has ${config.maxPositions} positions`,
    );
  });
}

/** @throws EngineError if k is not among 1, ..., vocabulary size. */
export function checkTop(k: number, { vocabSize }: ModelConfig): void {
  refuseUnless(Number.isInteger(k) && k >= 1 && k <= vocabSize, `k is ${k}; it is 1 to ${vocabSize}`);
}

function checkSequence(sequence: TokenIds, name: string, { vocabSize }: ModelConfig): void {
  refuseUnless(sequence.length > 0, `${name} is empty; give it at least one token`);
  const stranger = sequence.find((token) => !Number.isInteger(token) || token < 0 || token >= vocabSize);
  refuseUnless(stranger === undefined, `${name} holds token ${stranger}; ids are 0 to ${vocabSize - 1}`);
}

function refuseUnless(condition: boolean, message: string): void {
  if (!condition) throw new EngineError(message);
}
