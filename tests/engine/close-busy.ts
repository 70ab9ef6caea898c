import { setTimeout as wait } from 'node:timers/promises';
import { readModelFolder } from '../../src/engine/local/files/model-folder.ts';
import { Runtime } from '../../src/engine/local/runtime/runtime.ts';
import { LocalSampler } from '../../src/engine/local/sampling/local-sampler.ts';

/** @file Started by close-busy.test.ts: closes runtimes whose workers are inside the executor, again and again. */

const TIMES = 20;

const weights = await readModelFolder('models/organism');
const texts = Array.from({ length: 256 }, () => Array.from({ length: 200 }, (_, at) => 1 + (at % 20)));

for (let time = 0; time < TIMES; time++) {
  const runtime = Runtime.open(2);
  const sampler = new LocalSampler(runtime, weights);
  await sampler.logprobs(texts.slice(0, 2)); // the workers are there and know the graph
  const work = sampler.logprobs(texts).catch((error: Error) => error.message);
  await wait(3 * time);
  await runtime.close();
  process.stdout.write(`${await work}\n`);
}
