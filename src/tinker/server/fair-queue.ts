type Lane = {
  readonly waiting: (() => Promise<void>)[];
  /** How many of it may run side by side. */
  readonly width: number;
  running: number;
  /** Milliseconds that its work took so far. */
  spent: number;
};

/**
 * Lets those who wait for the same workers take turns: whoever has had the least time is next, and nobody works side by
 * side with himself while another one waits. A lane's own work is begun in the order in which it came.
 */
export class FairQueue {
  readonly #atOnce: number;
  readonly #now: () => number;
  readonly #lanes = new Map<string, Lane>();
  #running = 0;

  /** @param atOnce pieces of work that run side by side. @param now in milliseconds. */
  constructor(atOnce: number, now = () => performance.now()) {
    this.#atOnce = atOnce;
    this.#now = now;
  }

  take<Result>(name: string, width: number, work: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#lane(name, width).waiting.push(() => work().then(resolve, reject));
      this.#start();
    });
  }

  /** Who was away for a while is not owed the time that it did not ask for. */
  #lane(name: string, width: number): Lane {
    const known = this.#lanes.get(name);
    if (known !== undefined) return known;
    const others = [...this.#lanes.values()].map(({ spent }) => spent);
    const lane = { waiting: [], width, running: 0, spent: others.length === 0 ? 0 : Math.min(...others) };
    this.#lanes.set(name, lane);
    return lane;
  }

  #start(): void {
    while (this.#running < this.#atOnce) {
      const ready = [...this.#lanes].filter(([, { waiting, running, width }]) => waiting.length > 0 && running < width);
      if (ready.length === 0) return;
      const [name, lane] = ready.reduce((first, one) => (isBefore(one[1], first[1]) ? one : first));
      void this.#run(name, lane);
    }
  }

  async #run(name: string, lane: Lane): Promise<void> {
    this.#running++;
    lane.running++;
    const began = this.#now();
    await lane.waiting.shift()!();
    lane.spent += this.#now() - began;
    lane.running--;
    this.#running--;
    if (lane.running === 0 && lane.waiting.length === 0) this.#lanes.delete(name);
    this.#start();
  }
}

function isBefore(one: Lane, other: Lane): boolean {
  return one.running === other.running ? one.spent < other.spent : one.running < other.running;
}
