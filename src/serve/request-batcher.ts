import { ServerBusy } from './server-busy.ts';

/** Requests that come together are let in until none has come for so long, or the first has waited long enough. */
const QUIET_MS = 2;
const LONGEST_MS = 16;

/** Rows that may wait: at a thousand rows a second, four seconds' work. */
const WAITING_ROWS = 4096;

/** Rows of one call: more would make those in it wait for each other and gain nothing. */
const CALL_ROWS = 256;

export type BatchRules<Item, Result> = {
  /** Items of one kind can be in one call. */
  kind(item: Item): string;
  /** How many rows of a batch an item takes. */
  rows(item: Item): number;
  /** One result an item, in order. */
  run(group: readonly Item[]): Promise<readonly Result[]>;
};

type Waiting<Item, Result> = {
  readonly item: Item;
  readonly kind: string;
  readonly rows: number;
  resolve(result: Result): void;
  reject(error: unknown): void;
};

/**
 * Puts requests that arrive together into one call of the engine, oldest first. While as many calls run as there are
 * workers, what arrives waits and makes up the next ones, so batches grow with the load by themselves.
 */
export class RequestBatcher<Item, Result> {
  readonly #rules: BatchRules<Item, Result>;
  readonly #calls: number;
  #waiting: Waiting<Item, Result>[] = [];
  #waitingRows = 0;
  #running = 0;
  #timer: NodeJS.Timeout | undefined;
  /** When the one that waits longest for others came. */
  #since = 0;

  /** @param calls that may run at a time. */
  constructor(calls: number, rules: BatchRules<Item, Result>) {
    this.#calls = calls;
    this.#rules = rules;
  }

  get waitingRows(): number {
    return this.#waitingRows;
  }

  /**
   * @param signal gives the place in the queue up; a call that runs already goes on, for the others in it.
   * @throws ServerBusy where the queue is full, or the signal's reason.
   */
  submit(item: Item, signal: AbortSignal): Promise<Result> {
    signal.throwIfAborted();
    const rows = this.#rules.rows(item);
    if (this.#waitingRows + rows > WAITING_ROWS) throw new ServerBusy(`${this.#waitingRows} sequences wait already`);
    return new Promise((resolve, reject) => {
      const entry = { item, kind: this.#rules.kind(item), rows, resolve, reject };
      this.#waiting.push(entry);
      this.#waitingRows += rows;
      signal.addEventListener('abort', () => this.#leave(entry, signal.reason), { once: true });
      this.#letOthersIn();
    });
  }

  #letOthersIn(): void {
    const now = performance.now();
    if (this.#timer === undefined) {
      this.#since = now;
      this.#timer = setTimeout(() => this.#start(), QUIET_MS);
    } else if (now - this.#since < LONGEST_MS) this.#timer.refresh();
  }

  #leave(entry: Waiting<Item, Result>, reason: unknown): void {
    const at = this.#waiting.indexOf(entry);
    if (at >= 0) {
      this.#waiting.splice(at, 1);
      this.#waitingRows -= entry.rows;
    }
    entry.reject(reason); // nothing happens where it has been answered
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#running < this.#calls && this.#waiting.length > 0) void this.#run(this.#takeGroup());
  }

  /** The oldest, and those of its kind that have room beside it. */
  #takeGroup(): Waiting<Item, Result>[] {
    const [oldest] = this.#waiting;
    let rows = 0;
    const taken = new Set(
      this.#waiting.filter((one) => {
        const fits = one === oldest || (one.kind === oldest!.kind && rows + one.rows <= CALL_ROWS);
        if (fits) rows += one.rows;
        return fits;
      }),
    );
    this.#waiting = this.#waiting.filter((one) => !taken.has(one));
    this.#waitingRows -= rows;
    return [...taken];
  }

  async #run(group: readonly Waiting<Item, Result>[]): Promise<void> {
    this.#running++;
    try {
      const results = await this.#rules.run(group.map(({ item }) => item));
      for (const [at, one] of group.entries()) one.resolve(results[at]!);
    } catch (error) {
      for (const one of group) one.reject(error);
    }
    this.#running--;
    this.#start();
  }
}
