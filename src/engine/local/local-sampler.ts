import type { Sampler } from '../engine.ts';
import type { Runtime } from './runtime.ts';
import type { Weights } from './weights.ts';
export class LocalSampler implements Sampler {
  constructor(
    readonly runtime: Runtime,
    readonly weights: Weights,
  ) {}
  sample(): never {
    throw new Error('soon');
  }
  logprobs(): never {
    throw new Error('soon');
  }
  topLogprobs(): never {
    throw new Error('soon');
  }
}
