import type { FairQueue } from './fair-queue.ts';
import { type Future, type FutureStore, failed, type Outcome } from './future-store.ts';
import { Refusal } from './refusal.ts';

/** A request of a model, to be carried out in its place. */
export type Step = {
  /** Whether it can be begun while the steps before it and behind it are under way, because what it works on keeps order. */
  readonly overlaps?: true;
  /** Reads the request. @throws Refusal where it cannot be carried out. */
  prepare(): () => Promise<Outcome>;
  /** Called in its place instead, where it is refused or comes too late. */
  skip(reason: string): Promise<void>;
};

/** What is said to who sends a number again. */
type Entry = { readonly print: string; readonly answer: Future['id'] | Refusal };

/** Carries a step out, or passes over it for a reason. */
type Perform = { readonly overlaps: boolean; run(lost?: string): Promise<void> };

/** Steps under way at a time: the next pass keeps a worker busy that has nothing more to do for this one. */
const SIDE_BY_SIDE = 2;

/** Steps that may wait for an earlier one. */
const MOST_WAITING = 256;

/** Numbers that are remembered after they are done. */
const REMEMBERED = 4096;

export type QueueParts = {
  /** The model's. */
  readonly name: string;
  readonly turns: FairQueue;
  readonly futures: FutureStore;
  /** How long a step waits for an earlier one that does not come. */
  readonly gapMs: number;
};

/**
 * Carries a model's requests out in the order of their numbers, whatever the order in which they arrive. A number that
 * comes twice with the same payload is the same request. One that is refused counts as used, for its client counts it.
 * Where a number does not come, those that waited for it fail in the end, and what comes after them goes on.
 */
export class ModelQueue {
  readonly #parts: QueueParts;
  readonly #entries = new Map<number, Entry>();
  readonly #waiting = new Map<number, Perform>();
  /** The last step that overlaps none. */
  #alone: Promise<void> = Promise.resolve();
  /** Steps under way that do. */
  readonly #begun = new Set<Promise<void>>();
  #next = 1;
  #gap: NodeJS.Timeout | undefined;
  #closed: string | undefined;

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  /**
   * @param print of the payload, by which a repetition is known.
   * @returns the id under which the outcome is fetched.
   * @throws Refusal where the step is refused, or its number was used for another one.
   */
  submit(seqId: number, print: string, step: Step): string {
    const known = this.#known(seqId, print);
    if (known !== undefined) return known;
    if (this.#waiting.size >= MOST_WAITING) throw new Refusal(`${MOST_WAITING} requests of this model wait`, 429);
    const future = this.#parts.futures.open();
    const { run, refusal } = prepared(step);
    this.#remember(seqId, { print, answer: refusal ?? future.id });
    this.#waiting.set(seqId, {
      overlaps: step.overlaps ?? false,
      run: async (lost) => {
        const reason = lost ?? this.#closed ?? refusal?.message;
        const outcome = reason === undefined ? run() : step.skip(reason).then(() => failed(reason));
        future.settle(await outcome.catch((error) => this.#failure(error)));
      },
    });
    this.#advance();
    if (refusal !== undefined) throw refusal;
    return future.id;
  }

  /** Nothing more is begun: what has not been fails for this reason. */
  close(reason: string): void {
    this.#closed = reason;
    this.#giveUp(reason);
  }

  #known(seqId: number, print: string): string | undefined {
    if (this.#closed !== undefined) throw new Refusal(this.#closed);
    const entry = this.#entries.get(seqId);
    if (entry === undefined) {
      if (seqId >= this.#next) return undefined;
      throw new Refusal(`seq_id ${seqId} of ${this.#parts.name} comes too late; ${this.#next} is next`);
    }
    if (entry.print !== print) {
      throw new Refusal(`seq_id ${seqId} of ${this.#parts.name} was used for another request; ${this.#next} is next`);
    }
    if (entry.answer instanceof Refusal) throw entry.answer;
    return entry.answer;
  }

  #remember(seqId: number, entry: Entry): void {
    this.#entries.set(seqId, entry);
    if (this.#entries.size > REMEMBERED) this.#entries.delete(this.#entries.keys().next().value!); // there is one
  }

  /** Hands over what is next, as far as it is there, and gives what is missing some time. */
  #advance(): void {
    for (let perform = this.#waiting.get(this.#next); perform; perform = this.#waiting.get(this.#next)) {
      this.#waiting.delete(this.#next++);
      this.#queue(perform);
      clearTimeout(this.#gap);
      this.#gap = undefined;
    }
    if (this.#waiting.size > 0) this.#gap ??= setTimeout(() => this.#giveUp(this.#missing()), this.#parts.gapMs);
  }

  #missing(): string {
    const { name, gapMs } = this.#parts;
    return `seq_id ${this.#next} of ${name} did not come within ${gapMs / 1000} s, and later ones waited for it`;
  }

  /** Passes over all that waits, in its order. */
  #giveUp(reason: string): void {
    clearTimeout(this.#gap);
    this.#gap = undefined;
    for (const seqId of [...this.#waiting.keys()].sort((a, b) => a - b)) {
      const perform = this.#waiting.get(seqId)!;
      this.#waiting.delete(seqId);
      this.#next = seqId + 1;
      this.#queue(perform, reason);
    }
  }

  #queue({ overlaps, run }: Perform, lost?: string): void {
    const begin = () => (overlaps ? this.#beside(() => run(lost)) : this.#after(() => run(lost)));
    void this.#parts.turns.take(this.#parts.name, SIDE_BY_SIDE, begin);
  }

  #beside(run: () => Promise<void>): Promise<void> {
    const done = this.#alone.then(run).then(() => void this.#begun.delete(done));
    this.#begun.add(done);
    return done;
  }

  /** Behind all that was begun; what comes later waits for it. */
  #after(run: () => Promise<void>): Promise<void> {
    this.#alone = Promise.all([this.#alone, ...this.#begun]).then(run);
    return this.#alone;
  }

  #failure(error: unknown): Outcome {
    return this.#parts.futures.failure(error);
  }
}

type Prepared = { readonly run: () => Promise<Outcome>; readonly refusal: Refusal | undefined };

function prepared(step: Step): Prepared {
  try {
    return { run: step.prepare(), refusal: undefined };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { run: () => Promise.reject(error), refusal: error };
  }
}
