import { stat } from 'node:fs/promises';
import { inside } from './inside.ts';
import { LogIndex } from './log-index.ts';

/** As many logs stay open; an index of 10^5 samples takes some 40 MB. */
const OPEN = 3;

/** Logs that were asked for lately; one that has changed is opened anew. */
export class OpenLogs {
  readonly #root: string;
  readonly #open = new Map<string, Promise<LogIndex>>();

  constructor(root: string) {
    this.#root = root;
  }

  /** @throws InputError or RunError where there is no such log. */
  async get(path: string): Promise<LogIndex> {
    const file = await inside(this.#root, path);
    const known = await this.#open.get(file);
    if (known && known.changed === (await stat(file)).mtimeMs) return known;
    this.#drop(file);
    const opening = LogIndex.open(file);
    opening.catch(() => this.#open.delete(file));
    this.#open.set(file, opening);
    if (this.#open.size > OPEN) this.#drop(this.#open.keys().next().value!); // there is one
    return opening;
  }

  #drop(file: string): void {
    const index = this.#open.get(file);
    this.#open.delete(file);
    index?.then(({ log }) => log.close()).catch(() => {}); // one that did not open has nothing to close
  }
}
