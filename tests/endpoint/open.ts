import type { Conversation } from '../../src/conversation/conversation.ts';
import { parseAddress } from '../../src/engine/endpoint/address.ts';
import { type ConnectOptions, connect } from '../../src/engine/endpoint/connect.ts';
import { EndpointChatModel } from '../../src/engine/endpoint/endpoint-chat-model.ts';
import type { EndpointClient } from '../../src/engine/endpoint/endpoint-client.ts';
import { selfTest } from '../../src/engine/endpoint/self-test.ts';
import { Secret } from '../../src/engine/http/secret.ts';
import { fasterClock } from './faster-clock.ts';

/** Waits a hundredth of what it is told to, so that retries can be seen without sitting through them. */
export const hurried = fasterClock(100);

export const plain: ConnectOptions = {
  secret: new Secret(undefined),
  limits: { budget: undefined, maxCost: undefined },
  journal: undefined,
  priceOf: () => undefined,
  render: undefined,
  timeout: 6_000_000,
  most: 16,
  seed: 1,
  clock: hurried,
};

export const said = (text: string): Conversation => [{ role: 'user', text, origin: 'given' }];

export const samples = { prompts: ['one', 'two', 'three'].map(said), replyTokens: 40 };

export function connectTo(url: string, options: Partial<ConnectOptions> = {}): Promise<EndpointClient> {
  return connect(parseAddress(url), { ...plain, ...options });
}

export async function modelAt(url: string, options: Partial<ConnectOptions> = {}) {
  const client = await connectTo(url, options);
  const test = await selfTest(client, samples);
  return { client, test, model: new EndpointChatModel(client, test) };
}
