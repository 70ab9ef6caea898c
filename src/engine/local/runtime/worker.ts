import { join } from 'node:path';
import { parentPort } from 'node:worker_threads';
import type { InferenceSession, Tensor } from 'onnxruntime-common';
import type { ParameterSet } from '../model/weights.ts';
import type { HostTensor, Tensors } from './host-tensor.ts';
import type { Answer, Mapped, Request, SentGraph, SentParameters } from './runtime.ts';
import { keptVersions } from './versions.ts';

/** @file One worker thread: keeps sessions by graph and parameters by version, and runs one request at a time. */

type Executor = {
  readonly InferenceSession: { create(graph: Uint8Array, options: object): Promise<InferenceSession> };
  readonly Tensor: new (type: HostTensor['type'], data: HostTensor['data'], shape: readonly number[]) => Tensor;
};

/** One version of the parameters; the executor cannot read shared memory, so each worker has its copy. */
type Resident = { readonly flat: Float32Array; readonly tensors: Readonly<Record<string, Tensor>> };

const { executor, isNative } = await loadExecutor();
const sessions = new Map<string, InferenceSession>();
/** The most recently used first. */
let residents = new Map<number, Resident>();

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

async function run({ key, graph, parameters, feeds, outputs, lent }: Request): Promise<Tensors> {
  if (graph !== undefined) sessions.set(key, await openSession(graph));
  const given = { ...residentTensors(parameters), ...tensors(feeds) };
  const session = sessions.get(key)!;
  const inputs = Object.fromEntries(session.inputNames.map((name) => [name, given[name]!]));
  const results = await session.run(inputs, [...outputs]);
  if (lent !== undefined) lent.memory.set(results[lent.output]!.data as Float32Array); // only float outputs are lent for
  const sent = outputs.filter((name) => name !== lent?.output);
  return Object.fromEntries(sent.map((name) => [name, hostTensor(results[name]!)]));
}

function openSession({ bytes, mapped }: SentGraph): Promise<InferenceSession> {
  if (mapped === undefined) return executor.InferenceSession.create(bytes, SESSION_OPTIONS);
  return executor.InferenceSession.create(bytes, { ...SESSION_OPTIONS, ...mappedOptions(mapped) });
}

/** The native executor maps the file, once for all sessions of all processes, and packs no copies; WebAssembly reads it. */
function mappedOptions({ folder, file }: Mapped): object {
  const session = {
    ...SESSION_OPTIONS.extra.session,
    model_external_initializers_file_folder_path: folder,
    disable_prepacking: '1',
  };
  return isNative ? { extra: { session } } : { externalData: [{ path: file, data: join(folder, file) }] };
}

/** The tensors of these parameters, most of which are here already. */
function residentTensors(parameters: readonly SentParameters[]): Readonly<Record<string, Tensor>> {
  const known = [...residents].map(([id, { flat }]) => ({ id, bytes: flat.byteLength }));
  const before = residents;
  const kept = keptVersions(known, parameters);
  residents = new Map(kept.flatMap(({ id }) => (before.has(id) ? [[id, before.get(id)!]] : [])));
  const free = [...before].filter(([id]) => !residents.has(id)).map(([, { flat }]) => flat);
  const needed = parameters.map(
    ({ id, set }) => [id, set === undefined ? before.get(id)! : resident(set, free)] as const,
  );
  residents = new Map([...needed, ...residents]);
  return Object.assign({}, ...needed.map(([, { tensors }]) => tensors));
}

/** @param free memory of versions that made room: a first write to fresh memory costs ten times a copy. */
function resident({ flat, parameters }: ParameterSet, free: Float32Array[]): Resident {
  const fitting = free.findIndex((memory) => memory.length === flat.length);
  const [copy = new Float32Array(flat.length)] = fitting < 0 ? [] : free.splice(fitting, 1);
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
async function loadExecutor(): Promise<{ readonly executor: Executor; readonly isNative: boolean }> {
  try {
    return { executor: (await import('onnxruntime-node')) as Executor, isNative: true };
  } catch (error) {
    const reason = (error as Error).message.split('\n')[0];
    const warning = `onnxruntime-node cannot be loaded (${reason}); running on WebAssembly, about 3 to 5 times slower; install it again`;
    parentPort!.postMessage({ warning } satisfies Answer);
    const executor = (await import('onnxruntime-web')) as unknown as Executor; // the same API by another name
    return { executor, isNative: false };
  }
}
