import { parentPort } from 'node:worker_threads';
import type { InferenceSession, Tensor } from 'onnxruntime-common';
import type { Answer, HostTensor, Request, Tensors } from './runtime.ts';

/** @file One worker thread: keeps sessions by graph and parameters by version, and runs one request at a time. */

type Executor = {
  readonly InferenceSession: { create(graph: Uint8Array, options: object): Promise<InferenceSession> };
  readonly Tensor: new (type: HostTensor['type'], data: HostTensor['data'], shape: readonly number[]) => Tensor;
};

const executor = await loadExecutor();
const sessions = new Map<string, InferenceSession>();
const parameters = new Map<number, Readonly<Record<string, Tensor>>>();

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
port.on('message', async (request: Request) => port.postMessage(await answer(request)));

async function answer(request: Request): Promise<Answer> {
  try {
    return { id: request.id, outputs: await run(request) };
  } catch (error) {
    return { id: request.id, error: `${request.key}: ${(error as Error).message}` };
  }
}

async function run({ key, graph, version, weights, feeds, outputs }: Request): Promise<Tensors> {
  if (graph !== undefined) sessions.set(key, await executor.InferenceSession.create(graph, SESSION_OPTIONS));
  if (version !== undefined) keepVersion(version, weights);
  const session = sessions.get(key)!;
  const given = tensors(feeds);
  const resident = version === undefined ? {} : parameters.get(version)!;
  const inputs = Object.fromEntries(session.inputNames.map((name) => [name, given[name] ?? resident[name]!]));
  const results = await session.run(inputs, [...outputs]);
  return Object.fromEntries(outputs.map((name) => [name, hostTensor(results[name]!)]));
}

/** The most recently used versions stay, in step with the pool's own list. */
function keepVersion(version: number, weights: Tensors | undefined): void {
  const kept = weights === undefined ? parameters.get(version)! : tensors(weights);
  parameters.delete(version);
  parameters.set(version, kept);
  while (parameters.size > VERSIONS_KEPT) parameters.delete(parameters.keys().next().value!);
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
    const warning = `onnxruntime-node cannot be loaded (${reason}); running on WebAssembly, about 3 to 5 times slower`;
    parentPort!.postMessage({ warning } satisfies Answer);
    return (await import('onnxruntime-web')) as unknown as Executor; // the same API by another name
  }
}
