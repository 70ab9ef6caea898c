import { spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import * as Plot from '@observablehq/plot';
import { stream } from '../src/random.ts';
import { drawChart } from '../src/report/page/chart.ts';
import { encodeForwardBackwardRequest, type WireDatum } from '../src/tinker/wire/forward-backward.ts';
import { decodeSampleResponse } from '../src/tinker/wire/sample-response.ts';

/**
 * @file `npx tsx bench/tinker-load.ts [SECONDS [SVG]]`: one server on models/organism, four models in training and 64
 * clients that sample from their snapshots, sixteen each; prints what each model got, errors and memory as JSON.
 */

const [seconds = '600', picture] = process.argv.slice(2);
const MODELS = 4;
const SAMPLERS = 64;
const BATCH = 16;
const LENGTH = 32;
const SNAPSHOT_EVERY = 5;

const data = join(tmpdir(), `unrut-load-${process.pid}`);
const words = [
  '--import',
  'tsx',
  'src/cli/main.ts',
  'serve',
  'models/organism',
  '--tinker',
  '--port',
  '0',
  '--data',
  data,
];
const server = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'] });
const complaints: string[] = [];
let base = '';
for await (const line of createInterface(server.stderr)) {
  base = /TINKER_BASE_URL=(\S+?);/.exec(line)?.[1] ?? '';
  if (base !== '') break;
}
server.stderr.on('data', (text) => complaints.push(String(text)));

const errors = new Map<string, number>();
const count = (what: string) => errors.set(what, (errors.get(what) ?? 0) + 1);

async function send(path: string, body: object | Uint8Array): Promise<Response> {
  const binary = body instanceof Uint8Array;
  const headers = { 'content-type': binary ? 'application/x-protobuf' : 'application/json' };
  return fetch(`${base}/api/v1/${path}`, {
    method: 'POST',
    headers,
    body: binary ? Buffer.from(body) : JSON.stringify(body),
  });
}

type Json = Record<string, unknown>;

/** Sends, and waits for the outcome; busy servers are asked again, as any client does. */
async function ask(path: string, body: object | Uint8Array): Promise<Json | Uint8Array> {
  const submitted = await send(path, body);
  if (submitted.status === 429) {
    count('busy');
    await wait(1000);
    return ask(path, body);
  }
  const { request_id, ...rest } = (await submitted.json()) as Json;
  if (!submitted.ok) throw new Error(`${path}: ${submitted.status} ${JSON.stringify(rest)}`);
  if (request_id === undefined) return rest;
  for (;;) {
    const answer = await send('retrieve_future', { request_id });
    if (answer.status === 408) continue;
    if (answer.headers.get('content-type') === 'application/x-protobuf')
      return new Uint8Array(await answer.arrayBuffer());
    const result = (await answer.json()) as Json;
    if (answer.ok && result.error === undefined) return result;
    throw new Error(`${path}: ${answer.status} ${JSON.stringify(result)}`);
  }
}

function batch(step: number, model: number): WireDatum[] {
  const draws = stream(model, 'load', step);
  return Array.from({ length: BATCH }, () => {
    const tokens = Array.from({ length: LENGTH + 1 }, () => 6 + draws.integer(26));
    return {
      input: [{ kind: 'text' as const, tokens: tokens.slice(0, -1) }],
      lossInputs: { target_tokens: { dtype: 'int64' as const, shape: [LENGTH], values: tokens.slice(1) } },
    };
  });
}

const { session_id } = (await ask('create_session', { tags: [] })) as Json;
const steps: number[] = Array(MODELS).fill(0);
const samples: number[] = Array(MODELS).fill(0);
const samplers: (string | undefined)[] = Array(MODELS).fill(undefined);
let tokens = 0;
const end = Date.now() + 1000 * Number(seconds);

async function train(model: number): Promise<void> {
  const lora_config = { rank: 32, seed: model };
  const made = await ask('create_model', { session_id, model_seq_id: model, base_model: 'organism', lora_config });
  const { model_id } = made as { model_id: string };
  let seq_id = 0;
  while (Date.now() < end) {
    if (steps[model]! % SNAPSHOT_EVERY === 0) {
      const asked = { model_id, seq_id: ++seq_id, sampling_session_seq_id: 1000 * seq_id + model };
      samplers[model] = String(((await ask('save_weights_for_sampler', asked)) as Json).sampling_session_id);
    }
    const data = batch(steps[model]!, model);
    const gradient = {
      modelId: model_id,
      seqId: ++seq_id,
      data,
      lossFn: 'cross_entropy',
      lossConfig: {},
      forwardOnly: false,
    };
    const step = { model_id, seq_id: ++seq_id, adam_params: { learning_rate: 1e-4 } };
    await Promise.all([ask('forward_backward', encodeForwardBackwardRequest(gradient)), ask('optim_step', step)]);
    steps[model]!++;
  }
}

let sampleIds = 0;
async function sample(client: number): Promise<void> {
  const model = client % MODELS;
  while (Date.now() < end) {
    const sampling_session_id = samplers[model];
    if (sampling_session_id === undefined) {
      await wait(100);
      continue;
    }
    const prompt = { chunks: [{ type: 'encoded_text', tokens: [1, 6, 7, 8, 2] }] };
    const sampling_params = { max_tokens: 32, temperature: 1, seed: client };
    const asked = { sampling_session_id, seq_id: sampleIds++, num_samples: 4, prompt, sampling_params };
    const { sequences } = decodeSampleResponse((await ask('asample', asked)) as Uint8Array);
    tokens += sequences.reduce((sum, sequence) => sum + sequence.tokens.length, 0);
    samples[model]!++;
  }
}

/** Megabytes, where the system says. */
const residentSet = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1]) / 1024;

type Look = { readonly minute: number; readonly megabytes: number };
const looks: Look[] = [];
async function watch(): Promise<void> {
  const began = Date.now();
  while (Date.now() < end) {
    looks.push({ minute: (Date.now() - began) / 60_000, megabytes: Math.round(residentSet()) });
    await wait(5000);
  }
}

const careful = (work: Promise<void>) => work.catch((error: Error) => count(error.message));
await Promise.all([
  ...Array.from({ length: MODELS }, (_, model) => careful(train(model))),
  ...Array.from({ length: SAMPLERS }, (_, client) => careful(sample(client))),
  watch(),
]);
server.kill('SIGTERM');
const code = await new Promise((resolve) => server.on('exit', resolve));
rmSync(data, { recursive: true, force: true });

const megabytes = looks.map((look) => look.megabytes);
const half = megabytes.slice(Math.floor(megabytes.length / 2));
const memory = {
  byMinute: megabytes.filter((_, at) => at % 12 === 0),
  most: Math.max(...megabytes),
  secondHalf: [Math.min(...half), Math.max(...half)],
};
const result = {
  seconds: Number(seconds),
  steps,
  samples,
  tokens,
  errors: Object.fromEntries(errors),
  memory,
  exitCode: code,
};
process.stdout.write(`${JSON.stringify({ ...result, complaints: complaints.slice(0, 5) })}\n`);
if (picture !== undefined) {
  const chart = drawChart('Memory of the server under load', {
    width: 640,
    height: 240,
    grid: true,
    x: { label: 'minutes' },
    y: { label: 'megabytes resident', zero: true },
    marks: [Plot.line(looks, { x: 'minute', y: 'megabytes', stroke: '#2b6cb0' })],
  });
  writeFileSync(picture, chart.text.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" '));
}
