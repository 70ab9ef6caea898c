import { resolve } from 'node:path';
import type { ChatFormat } from '../../chat/chat-format.ts';
import type { Sampler } from '../../engine/engine.ts';
import type { Weights } from '../../engine/local/model/weights.ts';
import type { Runtime } from '../../engine/local/runtime/runtime.ts';
import { LocalSampler } from '../../engine/local/sampling/local-sampler.ts';
import { ServedModel } from '../../serve/served-model.ts';
import type { FairQueue } from './fair-queue.ts';
import { quoted, Refusal } from './refusal.ts';
import { SharedSampler } from './shared-sampler.ts';

export type BaseParts = {
  /** The name under which the model is offered. */
  readonly name: string;
  /** Its folder, by which clients on this machine find the tokenizer. */
  readonly folder: string;
  readonly weights: Weights;
  readonly format: ChatFormat;
  readonly runtime: Runtime;
};

/** The frozen model that everything here is trained from, and what is made of it. */
export class BaseModel {
  readonly name: string;
  readonly folder: string;
  readonly weights: Weights;
  readonly runtime: Runtime;
  readonly served: ServedModel;
  readonly #format: ChatFormat;
  readonly #turns: FairQueue;
  /** All that it goes by. */
  readonly names: readonly string[];

  constructor({ name, folder, weights, format, runtime }: BaseParts, turns: FairQueue) {
    this.name = name;
    this.folder = resolve(folder);
    this.weights = weights;
    this.runtime = runtime;
    this.#format = format;
    this.#turns = turns;
    this.names = [name, folder, this.folder];
    this.served = this.serve(new LocalSampler(runtime, weights), name, name);
  }

  /** @throws Refusal 400 on the name of another model. */
  check(asked: string): void {
    if (this.names.includes(asked)) return;
    throw new Refusal(`base_model ${quoted(asked)} is not here; this server has ${quoted(this.name)}`);
  }

  /** @param id by which it is asked for. @param lane whose turns it takes. */
  serve(sampler: Sampler, id: string, lane: string): ServedModel {
    const { workers } = this.runtime;
    const { maxPositions, vocabSize } = this.weights.config;
    const shared = new SharedSampler(sampler, this.#turns, `samples of ${lane}`, workers);
    return new ServedModel({ id, sampler: shared, format: this.#format, maxPositions, vocabSize, calls: workers });
  }
}
