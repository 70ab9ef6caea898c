import { parentPort } from 'node:worker_threads';
import type { InferenceSession, Tensor } from 'onnxruntime-common';
import type { HostTensor, Tensors } from './host-tensor.ts';
import type { Answer, Request, SentWeights } from './runtime.ts';

/** @file One worker thread: keeps sessions by graph and parameters by version, and runs one request at a time. */

type Executor = {
  readonly InferenceSession: { create(graph: Uint8Array, options: object): Promise<InferenceSession> };
  readonly Tensor: new (type: HostTensor['type'], data: HostTensor['data'], shape: readonly number[]) => Tensor;
};

/** One version of the parameters; the executor cannot read shared memory, so each worker has its copy. */
type Resident = { readonly flat: Float32Array; readonly tensors: Readonly<Record<string, Tensor>> };

const executor = await loadExecutor();
const sessions = new Map<string, InferenceSession>();
const residents = new Map<number, Resident>();

/** Must be the number of versions that the pool believes a worker to keep. */
const VERSIONS_KEPT = 4;

/** Spinning threads would fight the other worker for its core; the optimiser finds nothing in graphs written by hand. */
const SESSION_OPTIONS = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  graphOptimizationLevel: 'basic',
  extra: { session: { intra_op: { allow_spinning: '0' } } },
};

const port = parentPort!; // this file is only ever started as a worker
port.on('message', async (request: Request) => {
  const reply = await answer(request);
  port.postMessage(reply, 'outputs' in reply ? buffersOf(reply.outputs) : []);
});

async function answer(request: Request): Promise<Answer> {
  try {
    return { id: request.id, outputs: await run(request) };
  } catch (error) {
    return { id: request.id, error: `${request.key}: ${(error as Error).message}` };
  }
}

/** Outputs change hands instead of being copied. */
function buffersOf(outputs: Tensors): ArrayBuffer[] {
  return Object.values(outputs).map(({ data }) => data.buffer as ArrayBuffer); // the executor's, never shared
}

async function run({ key, graph, version, weights, feeds, outputs, lent }: Request): Promise<Tensors> {
  if (graph !== undefined) sessions.set(key, await executor.InferenceSession.create(graph, SESSION_OPTIONS));
  if (version !== undefined) keepVersion(version, weights);
  const session = sessions.get(key)!;
  const given = tensors(feeds);
  const resident = version === undefined ? {} : residents.get(version)!.tensors;
  const inputs = Object.fromEntries(session.inputNames.map((name) => [name, given[name] ?? resident[name]!]));
  const results = await session.run(inputs, [...outputs]);
  if (lent !== undefined) lent.memory.set(results[lent.output]!.data as Float32Array); // only float outputs are lent for
  const sent = outputs.filter((name) => name !== lent?.output);
  return Object.fromEntries(sent.map((name) => [name, hostTensor(results[name]!)]));
}

/** The most recently used versions stay, in step with the pool's own list. */
function keepVersion(version: number, weights: SentWeights | undefined): void {
  const kept = weights === undefined ? residents.get(version)! : resident(weights, forgetOldest());
  residents.delete(version);
  residents.set(version, kept);
}

/** The memory of a version that makes room for a new one: a first write to fresh memory costs ten times a copy. */
function forgetOldest(): Float32Array | undefined {
  if (residents.size < VERSIONS_KEPT) return undefined;
  const [version, { flat }] = residents.entries().next().value!;
  residents.delete(version);
  return flat;
}

function resident({ flat, parameters }: SentWeights, memory: Float32Array | undefined): Resident {
  const copy = memory?.length === flat.length ? memory : new Float32Array(flat.length);
  copy.set(flat);
  let offset = 0;
  const entries = parameters.map(({ name, shape }) => {
    const from = offset;
    offset += shape.reduce((product, size) => product * size, 1);
    return [name, new executor.Tensor('float32', copy.subarray(from, offset), shape)];
  });
  return { flat: copy, tensors: Object.fromEntries(entries) };
}

function tensors(hosts: Tensors): Record<string, Tensor> {
  const entries = Object.entries(hosts).map(([name, host]) => [
    name,
    new executor.Tensor(host.type, host.data, host.shape),
  ]);
  return Object.fromEntries(entries);
}

function hostTensor(tensor: Tensor): HostTensor {
  return { type: tensor.type, data: tensor.data, shape: tensor.dims } as HostTensor; // the graphs put out no other types
}

/** The native executor, or WebAssembly where it cannot be loaded. */
async function loadExecutor(): Promise<Executor> {
  try {
    return (await import('onnxruntime-node')) as Executor;
  } catch (error) {
    const reason = (error as Error).message.split('\n')[0];
    const warning = `onnxruntime-node cannot be loaded (${reason}); running on WebAssembly, about 3 to 5 times slower; install it again`;
    parentPort!.postMessage({ warning } satisfies Answer);
    return (await import('onnxruntime-web')) as unknown as Executor; // the same API by another name
  }
}
