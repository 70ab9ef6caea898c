import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Hono } from 'hono';
import { ChatFormat } from '../../src/chat/chat-format.ts';
import { type Clock, realClock } from '../../src/engine/http/clock.ts';
import { Secret } from '../../src/engine/http/secret.ts';
import { readModelFolder } from '../../src/engine/local/files/model-folder.ts';
import type { Weights } from '../../src/engine/local/model/weights.ts';
import { Runtime } from '../../src/engine/local/runtime/runtime.ts';
import { listen } from '../../src/serve/http-server.ts';
import { openService } from '../../src/tinker/client/connection.ts';
import type { Adapter } from '../../src/tinker/client/models.ts';
import { openSampler } from '../../src/tinker/client/open-sampler.ts';
import { PROTOCOL } from '../../src/tinker/client/rules.ts';
import { SampleGate } from '../../src/tinker/client/sample-gate.ts';
import { TinkerPolicy } from '../../src/tinker/client/tinker-policy.ts';
import { tinkerRoutes } from '../../src/tinker/server/routes.ts';
import { TinkerService } from '../../src/tinker/server/tinker-service.ts';

export const ORGANISM = 'models/organism';

export type OurServer = {
  readonly url: string;
  readonly weights: Weights;
  readonly runtime: Runtime;
  readonly faults: unknown[];
  /** Tokens that end a text. */
  readonly eos: readonly number[];
  close(): Promise<void>;
};

/** The server of this project in this process, with the organism or another model. */
export async function openOurServer(folder = ORGANISM): Promise<OurServer> {
  const data = mkdtempSync(join(tmpdir(), 'unrut-tinker-'));
  const faults: unknown[] = [];
  const onFault = (error: unknown) => void faults.push(error);
  const runtime = Runtime.open();
  const weights = await readModelFolder(folder);
  const format = await ChatFormat.open(folder);
  const parts = { name: basename(folder), folder, weights, format, runtime };
  const service = await TinkerService.open(parts, { folder: data, onFault, say: () => {}, pollMs: 2000 });
  const app = new Hono().route('/api/v1', tinkerRoutes(service, { address: { host: '127.0.0.1' }, onFault }));
  const http = await listen((request) => app.fetch(request), { host: '127.0.0.1', port: 0 });
  const close = async () => {
    await service.close();
    await http.stop();
    await runtime.close();
    rmSync(data, { recursive: true });
  };
  return { url: http.url, eos: format.stop, weights, runtime, faults, close };
}

export const ADAPTER: Adapter = {
  baseModel: 'organism',
  rank: 4,
  seed: 3,
  trainAttn: true,
  trainMlp: true,
  trainUnembed: true,
};

/** Waits a hundredth of what it is asked to. */
export const fastClock: Clock = { ...realClock, sleep: (milliseconds) => realClock.sleep(milliseconds / 100) };

/** Our client, which takes the server for one that keeps to the protocol. */
export async function openOurClient(url: string, { weights }: Pick<OurServer, 'weights'>, clock = realClock) {
  const service = await openService(url, new Secret(undefined), { clock, seed: 1, onWait: () => {} });
  const gate = new SampleGate(clock);
  const model = { adapter: ADAPTER, rules: PROTOCOL, limits: weights.config };
  const policy = new TinkerPolicy(service, gate, model);
  const base = await openSampler(service, gate, { base_model: ADAPTER.baseModel }, PROTOCOL);
  return { policy, base, service };
}
