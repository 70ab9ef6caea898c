import type { SamplingParams, TokenIds } from '../../engine.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { rotaryTables } from '../model/rope.ts';
import { windowsOf } from '../model/window.ts';
import type { DecodingPlan } from '../runtime/decoding.ts';
import { floats, type Tensors } from '../runtime/host-tensor.ts';
import { choiceFeeds, drawStreams, drawUniform, type GenerationBatch } from './generation-batch.ts';

/** What is decoded step by step. */
export function stepPlan(
  prompts: readonly TokenIds[],
  batch: GenerationBatch,
  how: SamplingParams,
  config: ModelConfig,
): DecodingPlan {
  const { layers, heads, keyValueHeads, headSize } = config;
  const uniforms = drawStreams(batch, how).flatMap((draws) =>
    Array.from({ length: how.maxTokens }, () => drawUniform(draws)),
  );
  return {
    shape: { layers, heads, keyValueHeads, headSize, windows: windowsOf(config) },
    prompts: batch.prompts.map((index) => prompts[index]!),
    samples: batch.to - batch.from,
    uniforms: Float32Array.from(uniforms),
    maxTokens: how.maxTokens,
    stop: how.stop,
  };
}

/** Inputs of the step graph that are the same at every step. @param tempered whether logprobs are. */
export function stepConstants(
  { prompts }: DecodingPlan,
  how: SamplingParams,
  config: ModelConfig,
  tempered: boolean,
): Tensors {
  const { temperature, topP = 1, topK = Infinity } = how;
  const longest = Math.max(...prompts.map(({ length }) => length));
  return {
    ...rotaryTables(config, longest + how.maxTokens),
    ...choiceFeeds(how, config),
    isGreedy: flag(temperature === 0),
    isFiltered: flag(topP < 1 || topK < Infinity),
    logitScale: floats(Float32Array.of(tempered ? 1 / temperature : 1), []),
  };
}

const flag = (value: boolean) => ({ type: 'bool', data: Uint8Array.of(Number(value)), shape: [] }) as const;
