import type { ServedModel } from '../../serve/served-model.ts';

/** Weights of samplers that are kept in memory. */
const KEPT_BYTES = 2 ** 28;

/**
 * The models that are sampled from, each an immutable snapshot. Those that were not used for longest make room; a
 * checkpoint is read again then, and a snapshot without a name is lost.
 */
export class Snapshots {
  readonly #bytesEach: number;
  readonly #kept = new Map<string, Promise<ServedModel>>();

  /** @param bytesEach of a model's weights. */
  constructor(bytesEach: number) {
    this.#bytesEach = bytesEach;
  }

  put(key: string, model: Promise<ServedModel>): void {
    this.#kept.delete(key);
    this.#kept.set(key, model);
    const most = Math.max(4, Math.floor(KEPT_BYTES / this.#bytesEach));
    if (this.#kept.size > most) this.#kept.delete(this.#kept.keys().next().value!); // there is one
  }

  /** @param read gets it where it is not there. */
  get(key: string, read: () => Promise<ServedModel>): Promise<ServedModel> {
    const model = this.#kept.get(key) ?? read();
    this.put(key, model);
    model.catch(() => this.#kept.delete(key));
    return model;
  }

  drop(key: string): void {
    this.#kept.delete(key);
  }
}
