import type { Datum, Loss, LossOutput } from '../../engine.ts';
import { isChunked } from '../compiler/head.ts';
import { gradientOf, trainingGraph } from '../compiler/training-graph.ts';
import { type Model, residentsOf, trainedShapes } from '../model/model.ts';
import { floats, floatsOf, type Tensors } from '../runtime/host-tensor.ts';
import type { Runtime } from '../runtime/runtime.ts';
import {
  cutIntoMicroBatches,
  type MicroBatch,
  type MicroBatchFeeds,
  microBatchFeeds,
  rowsOfMicroBatch,
} from './micro-batch.ts';

/** What a micro-batch adds: its loss, its data's logprobs and, where it learns, its gradient. */
export type Part = {
  readonly loss: number;
  /** Place in the batch and logprobs of each datum. */
  readonly logprobs: readonly (readonly [number, Float32Array])[];
  /** Memory of the runtime, to be given back. */
  readonly gradient: Float32Array | undefined;
};

/** Sets all micro-batches of a batch going; their results come in an order that does not depend on the workers. */
export function startBatch(
  runtime: Runtime,
  model: Model,
  batch: readonly Datum[],
  loss: Loss,
  backward: boolean,
): Promise<Part>[] {
  const parts = cutIntoMicroBatches(batch, rowsOfMicroBatch(model)).map((microBatch) =>
    runPart(runtime, model, batch, microBatch, loss, backward),
  );
  for (const part of parts) part.catch(() => undefined); // the first failure is reported, the others must not be unhandled
  return parts;
}

async function runPart(
  runtime: Runtime,
  model: Model,
  batch: readonly Datum[],
  microBatch: MicroBatch,
  loss: Loss,
  backward: boolean,
): Promise<Part> {
  const learns = backward && microBatch.learns;
  const { config } = model.weights;
  const laid = microBatchFeeds(batch, microBatch, config);
  const wanted = ['loss', 'logprobs', ...(isChunked(config) ? ['scoredLogprobs'] : [])];
  const gradients = trainedShapes(model).map(({ name, shape }) => ({ name: gradientOf(name), shape }));
  const borrowed = learns ? { output: 'gradients', parts: gradients } : undefined;
  const graph = trainingGraph(model, loss.kind, learns);
  const outputs = await runtime.run(graph, residentsOf(model), { ...laid.feeds, ...lossFeeds(loss) }, wanted, borrowed);
  return {
    loss: floatsOf(outputs.loss!)[0]!,
    logprobs: cutApart(batch, microBatch, putTogether(laid, outputs)),
    gradient: learns ? floatsOf(outputs.gradients!) : undefined,
  };
}

/** Logprobs of all tokens in their order. */
function putTogether({ asked, scored }: MicroBatchFeeds, { logprobs, scoredLogprobs }: Tensors): Float32Array {
  const all = new Float32Array(asked.length + scored.length);
  asked.forEach((at, nth) => {
    all[at] = floatsOf(logprobs!)[nth]!;
  });
  scored.forEach((at, nth) => {
    all[at] = floatsOf(scoredLogprobs!)[nth]!;
  });
  return all;
}

function lossFeeds(loss: Loss): Tensors {
  const scalar = (value: number) => floats(Float32Array.of(value), []);
  const clip = 'low' in loss ? loss : { low: 0, high: 0 };
  return { low: scalar(clip.low), high: scalar(clip.high), beta: scalar('beta' in loss ? loss.beta : 0) };
}

function cutApart(batch: readonly Datum[], { indices }: MicroBatch, logprobs: Float32Array): Part['logprobs'] {
  let offset = 0;
  return indices.map((index) => {
    const from = offset;
    offset += batch[index]!.input.length;
    return [index, logprobs.slice(from, offset)];
  });
}

export function lossOutput(parts: readonly Part[]): LossOutput {
  const logprobs: Float32Array[] = [];
  for (const part of parts) for (const [index, row] of part.logprobs) logprobs[index] = row;
  return { loss: parts.reduce((sum, { loss }) => sum + loss, 0), logprobs };
}
