import { EndpointError } from '../../errors.ts';
import { type Clock, realClock } from '../http/clock.ts';
import { Failure } from '../http/failure.ts';
import type { Secret } from '../http/secret.ts';
import { type Address, addressText } from './address.ts';
import { Budget, type Limits } from './budget.ts';
import { EndpointClient } from './endpoint-client.ts';
import { Flow } from './flow.ts';
import type { Price } from './prices.ts';
import { ReplyJournal } from './reply-journal.ts';
import type { Render } from './request.ts';
import { type Listed, Sender } from './sender.ts';

export type ConnectOptions = {
  readonly secret: Secret;
  readonly limits: Limits;
  /** Where replies are kept; undefined: nowhere. */
  readonly journal: string | undefined;
  readonly priceOf: (model: string) => Price | undefined;
  readonly render: Render | undefined;
  /** Milliseconds that one request may take. */
  readonly timeout: number;
  /** Most requests in flight. */
  readonly most: number;
  /** Of the jitter between retries. */
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  /** Told of every request that is sent again, with the reason. */
  readonly onRetry?: (line: string) => void;
  readonly clock?: Clock;
};

/**
 * Finds the server and the model on it, and opens the journal of its replies. Costs nothing yet.
 * @throws EndpointError where nobody answers there, or the model is not told and cannot be guessed.
 */
export async function connect(address: Address, options: ConnectOptions): Promise<EndpointClient> {
  const { journal: path, render, most, seed, signal, clock = realClock } = options;
  const sender = await Sender.open(address, options.secret, options.timeout, clock);
  const listed = await list(sender, address);
  const model = address.model ?? onlyModel(listed, address);
  const price = options.priceOf(model);
  if (options.limits.maxCost !== undefined && !price) {
    throw new EndpointError(
      `${model}: no price is known, so --max-cost cannot be kept; give a table with --prices FILE`,
    );
  }
  const journal = path === undefined ? undefined : await ReplyJournal.open(path, address.baseUrl, model);
  const flow = new Flow({ most, seed, signal, clock, onRetry: options.onRetry });
  const budget = new Budget(options.limits, price);
  return new EndpointClient({ address: { ...address, model }, sender, flow, budget, journal, listed, render });
}

async function list(sender: Sender, address: Address): Promise<Listed[]> {
  try {
    return await sender.models();
  } catch (error) {
    if (error instanceof Failure) throw new EndpointError(`${addressText(address)}: ${error.line}`);
    throw error;
  }
}

function onlyModel(listed: readonly Listed[], { baseUrl }: Address): string {
  const [only, ...others] = listed.map(({ id }) => id);
  if (only !== undefined && others.length === 0) return only;
  const choice = only === undefined ? 'it does not say which there are' : `it has ${[only, ...others].join(', ')}`;
  throw new EndpointError(
    `${baseUrl}: which model? Write it behind a #, as in ${baseUrl}#${only ?? 'my-model'}; ${choice}`,
  );
}
