import { join } from 'node:path';
import { parentPort } from 'node:worker_threads';
import type { InferenceSession, Tensor } from 'onnxruntime-common';
import type { ParameterShape } from '../model/model-config.ts';
import type { ParameterSet } from '../model/weights.ts';
import { type DecodingPlan, decode, type RunStep } from './decoding.ts';
import { floats, type HostTensor, type Tensors } from './host-tensor.ts';
import type { Answer, Lent, Mapped, Request, SentGraph, SentParameters } from './runtime.ts';
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

async function run(request: Request): Promise<Tensors> {
  const { key, graph, parameters, feeds, outputs, lent, plan } = request;
  if (graph !== undefined) await openSession(key, graph);
  const given = { ...residentTensors(parameters), ...tensors(feeds) };
  const session = sessions.get(key)!;
  if (plan !== undefined) return await runPlan(session, given, outputs, plan);
  const inputs = Object.fromEntries(session.inputNames.map((name) => [name, given[name]!]));
  const landing = lent && landingFor(lent);
  const results = await session.run(inputs, { ...noPlaces(outputs), ...landing?.fetches });
  if (lent !== undefined && landing !== undefined) {
    if (!isNative) landing.read(results);
    lent.memory.set(landing.flat);
  }
  return Object.fromEntries(outputs.map((name) => [name, hostTensor(results[name]!)]));
}

/** These outputs are made wherever the executor likes. */
const noPlaces = (names: readonly string[]): Record<string, null> =>
  Object.fromEntries(names.map((name) => [name, null]));

/** Memory of this thread into which the native executor writes outputs, by their number; it cannot write shared memory. */
const landings = new Map<number, Float32Array>();

/** WebAssembly gives outputs of its own, which are read into the memory afterwards. */
function landingFor({ parts, memory: { length } }: Lent) {
  const flat = landings.get(length) ?? new Float32Array(length);
  landings.set(length, flat);
  const places = tensorsOn(flat, parts);
  const read = (results: Readonly<Record<string, Tensor>>) => {
    for (const [name, { data }] of Object.entries(places)) {
      (data as Float32Array).set(results[name]!.data as Float32Array); // both are float
    }
  };
  return { flat, read, fetches: isNative ? places : noPlaces(parts.map(({ name }) => name)) };
}

async function openSession(key: string, { bytes, mapped, threads, replaces }: SentGraph): Promise<void> {
  if (replaces !== undefined) {
    await sessions.get(replaces)?.release();
    sessions.delete(replaces);
  }
  const wide = threads === undefined ? {} : { intraOpNumThreads: threads };
  // a plan of the memory for each shape is faster where models are small, and takes half as much again
  const isLarge = threads !== undefined || mapped !== undefined;
  const options = {
    ...SESSION_OPTIONS,
    enableMemPattern: !isLarge,
    ...wide,
    ...(mapped && mappedOptions(mapped, threads !== undefined)),
  };
  sessions.set(key, await executor.InferenceSession.create(bytes, options));
}

/** Every step of a generation, told as soon as it is done. */
async function runPlan(
  session: InferenceSession,
  given: Readonly<Record<string, Tensor>>,
  outputs: readonly string[],
  plan: DecodingPlan,
): Promise<Tensors> {
  const step: RunStep = async (feeds) => {
    const { token, logprob, fresh } = await session.run({ ...given, ...tensors(feeds) }, [...outputs]);
    return {
      token: token!.data as BigInt64Array, // the types are those of the step graph
      logprob: logprob!.data as Float32Array,
      fresh: fresh!.data as Float32Array,
    };
  };
  const decoded = await decode(plan, step, (steps) => port.postMessage({ steps } satisfies Answer));
  const shape = [decoded.lengths.length, plan.maxTokens];
  return {
    tokens: { type: 'int32', data: decoded.tokens, shape },
    logprobs: floats(decoded.logprobs, shape),
    lengths: { type: 'int32', data: decoded.lengths, shape: [decoded.lengths.length] },
  };
}

/** The native executor maps the file, once for all sessions of all processes; WebAssembly reads it. */
function mappedOptions({ folder, file }: Mapped, packs: boolean): object {
  const session = {
    ...SESSION_OPTIONS.extra.session,
    model_external_initializers_file_folder_path: folder,
    disable_prepacking: packs ? '0' : '1',
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
  return { flat: copy, tensors: tensorsOn(copy, parameters) };
}

/** Tensors of these shapes that lie end to end. */
function tensorsOn(flat: Float32Array, shapes: readonly ParameterShape[]): Readonly<Record<string, Tensor>> {
  let offset = 0;
  const entries = shapes.map(({ name, shape }) => {
    const from = offset;
    offset += shape.reduce((product, size) => product * size, 1);
    return [name, new executor.Tensor('float32', flat.subarray(from, offset), shape)];
  });
  return Object.fromEntries(entries);
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
