import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Conversation } from '../src/chat/conversation.ts';
import { parseAddress } from '../src/engine/endpoint/address.ts';
import { connect } from '../src/engine/endpoint/connect.ts';
import { EndpointChatModel } from '../src/engine/endpoint/endpoint-chat-model.ts';
import { Secret } from '../src/engine/endpoint/secret.ts';
import type { SelfTest } from '../src/engine/endpoint/self-test.ts';

/**
 * @file What the client of endpoints adds to a server's own time, and how much memory it takes.
 *
 *   tsx bench/endpoint.ts overhead [latency in ms] [replies]     256 requests in flight, a stub of fixed latency
 *   tsx bench/endpoint.ts memory [replies]                       resident memory over 100,000 samples
 *
 * The server is in a thread of its own and its latency is fixed, so that `replies * latency / 256` is its own time. What
 * is left is the client: its fetch, its journal on the disk, its bookkeeping.
 */

const IN_FLIGHT = 256;

const STUB = `
const { createServer } = require('node:http');
const { parentPort, workerData } = require('node:worker_threads');
const body = JSON.stringify({
  choices: [{ index: 0, message: { role: 'assistant', content: 'a'.repeat(400) }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 200, completion_tokens: 100 },
});
const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => setTimeout(() => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
    response.end(body);
  }, workerData));
});
server.keepAliveTimeout = 60000;
server.listen(0, '127.0.0.1', 1024, () => parentPort.postMessage(server.address().port));
`;

async function stub(latency: number): Promise<{ url: string; worker: Worker }> {
  const worker = new Worker(STUB, { eval: true, workerData: latency });
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  return { url: `http://127.0.0.1:${port}/v1#stub`, worker };
}

const no = { can: false, how: 'not asked' };

/** As if a self-test had found a plain server. */
const PLAIN: SelfTest = {
  findings: {
    prefill: no,
    own_logprobs: no,
    prompt_logprobs: no,
    seed: no,
    temperature: no,
    n: no,
    stop: no,
    turns_in_a_row: no,
    max_context: no,
  },
  dialect: {
    route: 'chat',
    prefill: undefined,
    maxTokens: 'max_tokens',
    temperature: true,
    seed: true,
    mergeTurns: false,
  },
  prompt: undefined,
};

async function open(url: string, journal: string) {
  const client = await connect(parseAddress(url), {
    secret: new Secret(undefined),
    limits: { budget: undefined, maxCost: undefined },
    journal,
    priceOf: () => undefined,
    render: undefined,
    timeout: 60_000,
    most: IN_FLIGHT,
    seed: 1,
  });
  return { client, model: new EndpointChatModel(client, PLAIN) };
}

const how = { maxTokens: 100, temperature: 1, seed: 1, samples: 1 };

const prompts = (from: number, count: number): Conversation[] =>
  Array.from({ length: count }, (_, at) => [
    { role: 'user', text: `question ${from + at} ${'b'.repeat(800)}`, origin: 'given' },
  ]);

const megabytes = (bytes: number): number => Math.round(bytes / 2 ** 20);

async function overhead(latency: number, replies: number, journal: string): Promise<void> {
  const { url, worker } = await stub(latency);
  const { client, model } = await open(url, journal);
  for (let round = 0; client.parts.flow.limit < IN_FLIGHT; round++)
    await model.reply(prompts(1e6 + round * 512, 512), how); // up to speed
  const cpu = process.cpuUsage();
  const since = performance.now();
  await model.reply(prompts(0, replies), how);
  const took = performance.now() - since;
  const { user, system } = process.cpuUsage(cpu);
  const own = Math.ceil(replies / IN_FLIGHT) * latency;
  const busy = (user + system) / 1000 / replies;
  console.log(
    JSON.stringify({
      latency_ms: latency,
      replies,
      in_flight: IN_FLIGHT,
      server_ms: own,
      took_ms: Math.round(took),
      retries: client.parts.flow.count.retries,
      added_percent: Number(((took / own - 1) * 100).toFixed(2)),
      cpu_ms_a_reply_with_the_stub: Number(busy.toFixed(3)),
    }),
  );
  await client.parts.journal?.close();
  await worker.terminate();
}

async function memory(replies: number, journal: string): Promise<void> {
  const { url, worker } = await stub(0);
  const { client, model } = await open(url, journal);
  const step = Math.ceil(replies / 10);
  for (let done = 0; done < replies; done += step) {
    await model.reply(prompts(done, step), how);
    const { rss, heapUsed } = process.memoryUsage();
    console.log(
      JSON.stringify({
        samples: done + step,
        rss_mb: megabytes(rss),
        heap_mb: megabytes(heapUsed),
        journal_mb: megabytes(statSync(journal).size),
      }),
    );
  }
  await client.parts.journal?.close();
  const since = performance.now();
  const again = await open(url, journal);
  await again.model.reply(prompts(0, step), how);
  console.log(
    JSON.stringify({
      resumed_ms: Math.round(performance.now() - since),
      cached: again.client.cached,
      rss_mb: megabytes(process.memoryUsage().rss),
    }),
  );
  await again.client.parts.journal?.close();
  await worker.terminate();
}

const [what, first, second] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'unrut-bench-'));
const journal = join(folder, 'replies.jsonl');
try {
  if (what === 'memory') await memory(Number(first ?? 100_000), journal);
  else await overhead(Number(first ?? 2000), Number(second ?? 2560), journal);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
