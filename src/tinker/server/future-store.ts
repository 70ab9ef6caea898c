import { randomUUID } from 'node:crypto';
import { RunError, UnrutError } from '../../errors.ts';
import { Refusal } from './refusal.ts';

/** What became of a request. A failure is the user's where other data or options would not have failed. */
export type Outcome =
  | { readonly kind: 'json'; readonly body: object }
  | { readonly kind: 'protobuf'; readonly bytes: Uint8Array }
  | { readonly kind: 'failed'; readonly error: string; readonly category: 'user' | 'server' };

export const done = (body: object): Outcome => ({ kind: 'json', body });

export function failed(error: string, category: 'user' | 'server' = 'user'): Outcome {
  return { kind: 'failed', error, category };
}

/** A request whose result is fetched later, as often as wanted. */
export class Future {
  readonly id = randomUUID();
  #outcome: Outcome | undefined;
  readonly #watchers = new Set<() => void>();

  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  /** The first outcome counts. */
  settle(outcome: Outcome): void {
    this.#outcome ??= outcome;
    for (const watcher of this.#watchers) watcher();
    this.#watchers.clear();
  }

  /** Calls once, when there is an outcome. @returns what ends the watch. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}

/** How long an outcome is kept for who did not get the answer, and how much of them together. */
const KEPT_MS = 900_000;
const KEPT_BYTES = 2 ** 28;

/** Requests that may be under way. */
const MOST_OPEN = 16_384;

type Kept = { readonly id: string; readonly bytes: number; readonly at: number };

export class FutureStore {
  readonly #onFault: (error: unknown) => void;
  readonly #byId = new Map<string, Future>();
  /** Those that are settled, oldest first. */
  readonly #kept: Kept[] = [];
  readonly #polls = new Set<() => void>();
  #bytes = 0;
  #open = 0;
  #closed = false;

  /** @param onFault called with failures that are not the user's. */
  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault;
  }

  /** Requests without an outcome. */
  get underWay(): number {
    return this.#open;
  }

  /** @throws Refusal 429 where too much is under way. */
  open(): Future {
    if (this.#open >= MOST_OPEN) throw new Refusal(`${this.#open} requests are under way; send it again later`, 429);
    const future = new Future();
    this.#byId.set(future.id, future);
    this.#open++;
    future.watch(() => this.#keep(future));
    return future;
  }

  /** @throws Refusal 404. */
  find(id: string): Future {
    const future = this.#byId.get(id);
    if (future !== undefined) return future;
    throw new Refusal(`there is no request ${id.slice(0, 100)}; results are kept for ${KEPT_MS / 60_000} minutes`, 404);
  }

  /** Waits for the outcome, but no longer than this and not beyond {@link close}. @throws Refusal 404. */
  async poll(id: string, longestMs: number): Promise<Outcome | undefined> {
    const future = this.find(id);
    if (future.outcome === undefined && !this.#closed) await this.#wait(future, longestMs);
    return future.outcome;
  }

  /** What is told of an error: its own words, where they are meant for users. */
  failure(error: unknown): Outcome {
    if (error instanceof Refusal) return failed(error.message, 'user');
    if (error instanceof UnrutError && !(error instanceof RunError)) return failed(error.message, 'user');
    this.#onFault(error);
    return failed(error instanceof RunError ? error.message : 'the server failed; its log says why', 'server');
  }

  /** Whoever waits is answered that there is nothing yet. */
  close(): void {
    this.#closed = true;
    for (const end of this.#polls) end();
  }

  #wait(future: Future, longestMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(late);
        unwatch();
        this.#polls.delete(end);
        resolve();
      };
      const late = setTimeout(end, longestMs);
      const unwatch = future.watch(end);
      this.#polls.add(end);
    });
  }

  #keep({ id, outcome }: Future): void {
    const bytes = outcome?.kind === 'protobuf' ? outcome.bytes.length : 1024;
    this.#open--;
    this.#bytes += bytes;
    this.#kept.push({ id, bytes, at: Date.now() });
    while (this.#bytes > KEPT_BYTES || this.#kept[0]!.at < Date.now() - KEPT_MS) {
      const oldest = this.#kept.shift()!; // the newest is never too old, nor larger than all that is kept
      this.#bytes -= oldest.bytes;
      this.#byId.delete(oldest.id);
    }
  }
}
