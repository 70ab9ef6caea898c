import { EndpointError } from '../../errors.ts';
import { costOf, type Price, type Tokens } from './prices.ts';

/** What has been used. `lost` requests broke off and may have been charged: they count at their worst. */
export type Spent = { replies: number; prompt: number; completion: number; lost: number };

export type Limits = {
  /** Most replies. */
  readonly budget: number | undefined;
  /** Most US dollars. */
  readonly maxCost: number | undefined;
};

/** What a request can use at worst. */
export type Worst = Tokens & { readonly replies: number };

const nothing = (): Spent => ({ replies: 0, prompt: 0, completion: 0, lost: 0 });

/**
 * Sets the worst case of a request aside before it is sent, so that no limit is ever overrun, however many are in flight;
 * what was not used comes back with the reply. Near a limit requests wait for the change of those in flight.
 */
export class Budget {
  readonly spent: Spent = nothing();
  readonly #limits: Limits;
  readonly price: Price | undefined;
  readonly #reserved: Spent = nothing();
  #waiting: (() => void)[] = [];

  constructor(limits: Limits, price: Price | undefined) {
    this.#limits = limits;
    this.price = price;
  }

  /** US dollars so far, at the table's prices; undefined where they are not known. */
  get cost(): number | undefined {
    return this.price && costOf(this.price, this.spent);
  }

  /** @throws EndpointError where a limit would be overrun even if nothing in flight used its worst. */
  async reserve(worst: Worst): Promise<void> {
    while (this.#overrun(worst, this.#reserved) !== undefined) {
      const why = this.#overrun(worst, nothing());
      if (why !== undefined || this.#reserved.replies === 0)
        throw new EndpointError(why ?? 'the limits allow no request');
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    add(this.#reserved, worst, 1);
  }

  /** A reply came. */
  settle(worst: Worst, used: Worst): void {
    add(this.spent, used, 1);
    this.release(worst);
  }

  /** It was not charged. */
  release(worst: Worst): void {
    add(this.#reserved, worst, -1);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Nobody knows whether it was charged. */
  lose(worst: Worst): void {
    this.spent.lost++;
    this.settle(worst, worst);
  }

  #overrun(worst: Worst, reserved: Spent): string | undefined {
    const { budget = Number.POSITIVE_INFINITY, maxCost } = this.#limits;
    if (this.spent.replies + reserved.replies + worst.replies > budget) {
      return `the budget of ${budget} replies is used up; go on with a larger --budget and --resume`;
    }
    if (maxCost === undefined || !this.price) return undefined;
    const cost = [this.spent, reserved, worst].reduce((sum, tokens) => sum + costOf(this.price!, tokens), 0); // just seen
    if (cost <= maxCost) return undefined;
    const spent = this.cost!.toFixed(4); // there is a price
    return `one more request could pass --max-cost ${maxCost} USD (spent ${spent}); go on with more and --resume`;
  }
}

function add(sum: Spent, { replies, prompt, completion }: Worst, sign: 1 | -1): void {
  sum.replies += sign * replies;
  sum.prompt += sign * prompt;
  sum.completion += sign * completion;
}
