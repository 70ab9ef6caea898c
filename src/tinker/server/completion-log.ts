import type { Future } from './future-store.ts';

/** As the wire has it. */
type Completion = {
  readonly state: 'finished' | 'failed';
  readonly request_id: string;
  readonly response_payload_uncompressed_size?: number;
};

export type Completions = { readonly cursor: number; readonly completions: readonly Completion[] };

/** Completions that are remembered at least; as many more are forgotten at once. */
const REMEMBERED = 16_384;

/** The requests of one sampling session in the order in which they were finished; a cursor is a place in it. */
export class CompletionLog {
  readonly #entries: { readonly clone: number; readonly completion: Completion }[] = [];
  /** Entries that are forgotten. */
  #before = 0;
  readonly #waiting = new Set<() => void>();

  add({ id, outcome }: Future, clone: number): void {
    const size = outcome?.kind === 'protobuf' ? { response_payload_uncompressed_size: outcome.bytes.length } : {};
    const state = outcome?.kind === 'failed' ? ('failed' as const) : ('finished' as const);
    this.#entries.push({ clone, completion: { state, request_id: id, ...size } });
    if (this.#entries.length === 2 * REMEMBERED) this.#before += this.#entries.splice(0, REMEMBERED).length;
    for (const wake of this.#waiting) wake();
  }

  /** What one clone's requests came to since `cursor`, once there is something or after this time. */
  async after(cursor: number, clone: number, longestMs: number): Promise<Completions> {
    const before = this.#since(cursor, clone);
    if (before.completions.length > 0 || longestMs <= 0) return before;
    await this.#next(clone, longestMs);
    return this.#since(cursor, clone);
  }

  #since(cursor: number, clone: number): Completions {
    const own = this.#entries.slice(Math.max(0, cursor - this.#before)).filter((entry) => entry.clone === clone);
    return { cursor: this.#before + this.#entries.length, completions: own.map(({ completion }) => completion) };
  }

  #next(clone: number, longestMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        if (this.#entries.at(-1)?.clone === clone) end();
      };
      const end = () => {
        clearTimeout(late);
        this.#waiting.delete(wake);
        resolve();
      };
      const late = setTimeout(end, longestMs);
      this.#waiting.add(wake);
    });
  }
}
