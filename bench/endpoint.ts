import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Conversation } from '../src/conversation/conversation.ts';
import { parseAddress } from '../src/engine/endpoint/address.ts';
import { connect } from '../src/engine/endpoint/connect.ts';
import { EndpointChatModel } from '../src/engine/endpoint/endpoint-chat-model.ts';
import type { SelfTest } from '../src/engine/endpoint/self-test.ts';
import { Secret } from '../src/engine/http/secret.ts';

/**
 * @file What the client of endpoints adds to a server's own time, and how much memory it takes.
 *
 *   tsx bench/endpoint.ts overhead [latency in ms] [replies]     256 requests in flight, a stub of fixed latency
 *   tsx bench/endpoint.ts memory [replies] [bytes of a reply]    resident memory over 100,000 samples
 *
 * The server is a process of its own and its latency is fixed, so that `replies * latency / 256` is its own time. What is
 * left is the client: its requests, its journal on the disk, its bookkeeping. A bare client that sends the same requests
 * and does nothing else shows how much of that no client can save. Processor time is the client's alone, and tells the
 * same on a busy machine: spread over its replies it is `256 * cpu / latency` of the server's time.
 */

const IN_FLIGHT = 256;

const STUB = `
const { createServer } = require('node:http');
const [latency, bytes] = process.argv.slice(1).map(Number);
const body = JSON.stringify({
  choices: [{ index: 0, message: { role: 'assistant', content: 'a'.repeat(bytes) }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 200, completion_tokens: 100 },
});
const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => setTimeout(() => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
    response.end(body);
  }, latency));
});
server.keepAliveTimeout = 60000;
server.listen(0, '127.0.0.1', 1024, () => process.stdout.write(String(server.address().port)));
`;

async function stub(latency: number, bytes = 400): Promise<{ port: number; url: string; server: ChildProcess }> {
  const server = spawn(process.execPath, ['-e', STUB, String(latency), String(bytes)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await new Promise<number>((resolve) => server.stdout.once('data', (bytes) => resolve(Number(bytes))));
  return { port, url: `http://127.0.0.1:${port}/v1#stub`, server };
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
    echoes: false,
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
  const { port, url, server } = await stub(latency);
  const { client, model } = await open(url, journal);
  for (let round = 0; client.parts.flow.limit < IN_FLIGHT && round < 20; round++)
    await model.reply(prompts(1e6 + round * 512, 512), how); // up to speed
  const ours = await measured(() => model.reply(prompts(0, replies), how));
  const bare = await measured(() => sendBare(port, replies));
  const own = Math.ceil(replies / IN_FLIGHT) * latency;
  const percent = (share: number) => Number((share * 100).toFixed(2));
  const told = ({ took, cpu }: { took: number; cpu: number }) => ({
    took_ms: Math.round(took),
    added_percent: percent(took / own - 1),
    cpu_ms_a_reply: Number((cpu / replies).toFixed(3)),
    cpu_percent_of_server: percent(((cpu / replies) * IN_FLIGHT) / latency),
  });
  const { limit, count } = client.parts.flow;
  const about = { latency_ms: latency, replies, in_flight: limit, retries: count.retries, server_ms: own };
  console.log(JSON.stringify({ ...about, client: told(ours), bare: told(bare) }));
  await client.parts.journal?.close();
  server.kill();
}

/** Wall and processor time of this process, milliseconds. */
async function measured(work: () => Promise<unknown>): Promise<{ took: number; cpu: number }> {
  const cpu = process.cpuUsage();
  const since = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { took: performance.now() - since, cpu: (user + system) / 1000 };
}

/** The same bytes by nothing but Node's own client, replies heard out and thrown away. */
async function sendBare(port: number, replies: number): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  const headers = { 'content-type': 'application/json' };
  const send = (content: string) =>
    new Promise<void>((resolve, reject) => {
      const body = JSON.stringify({ model: 'stub', messages: [{ role: 'user', content }], max_tokens: 100 });
      const sent = request({ host: '127.0.0.1', port, path: '/v1/chat/completions', method: 'POST', agent, headers });
      sent.on('error', reject).on('response', (response) => response.resume().on('end', resolve));
      sent.end(body);
    });
  const questions = prompts(2e6, replies).map(([turn]) => turn!.text);
  const work = async () => {
    for (let question = questions.pop(); question !== undefined; question = questions.pop()) await send(question);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  agent.destroy();
}

async function memory(replies: number, bytes: number | undefined, journal: string): Promise<void> {
  const { url, server } = await stub(0, bytes);
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
  server.kill();
}

const [what, first, second] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'unrut-bench-'));
const journal = join(folder, 'replies.jsonl');
try {
  if (what === 'memory')
    await memory(Number(first ?? 100_000), second === undefined ? undefined : Number(second), journal);
  else await overhead(Number(first ?? 2000), Number(second ?? 2560), journal);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
