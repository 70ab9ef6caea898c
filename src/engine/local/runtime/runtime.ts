import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { EngineError } from '../../../errors.ts';
import { visible } from '../../../visible.ts';
import type { ParameterShape } from '../model/model-config.ts';
import { type ParameterSet, sharedFloats, sizeOf } from '../model/weights.ts';
import type { DecodingPlan, Step } from './decoding.ts';
import { floats, type Tensors } from './host-tensor.ts';
import { keptVersions, type Version } from './versions.ts';

/**
 * onnxruntime-node collects telemetry by default: it queues events with a device id in the user's cache folder for upload.
 * It reads this switch of the process when it is loaded, and a worker's own environment is a copy that it does not see,
 * so it is set here, in the thread that starts the workers.
 */
process.env.ORT_DISABLE_TELEMETRY = '1';

/** The file that a graph's constants lie in. */
export type Mapped = { readonly folder: string; readonly file: string };

/** A graph by its key; it is emitted once, when the first worker needs it. */
export type Graph = {
  readonly key: string;
  encode(): Uint8Array;
  readonly mapped?: Mapped | undefined;
  /**
   * Whether it runs on all cores at once, for graphs of which more than one worker would take too much memory. Mapped
   * weights are then packed in the form in which few rows read them fastest; that is a copy of them, so that only the
   * last such graph is kept.
   */
  readonly isWide?: boolean;
};

/** A graph on its way to a worker. */
export type SentGraph = {
  readonly bytes: Uint8Array;
  readonly mapped: Mapped | undefined;
  /** Threads of a wide graph. */
  readonly threads: number | undefined;
  /** A graph that makes room for it. */
  readonly replaces: string | undefined;
};

/** Parameters that a graph reads; sent when the worker has not seen this version yet. */
export type SentParameters = Version & { readonly set: ParameterSet | undefined };

export type Request = {
  readonly id: number;
  readonly key: string;
  readonly graph: SentGraph | undefined;
  readonly parameters: readonly SentParameters[];
  readonly feeds: Tensors;
  readonly outputs: readonly string[];
  /** Shared memory for large outputs, written instead of sent. */
  readonly lent: Lent | undefined;
  /** Runs the graph again and again. */
  readonly plan: DecodingPlan | undefined;
};

/** Memory for what is {@link Borrowed}. */
export type Lent = Borrowed & { readonly memory: Float32Array };

export type Answer =
  | { readonly id: number; readonly outputs: Tensors }
  | { readonly id: number; readonly error: string }
  | { readonly steps: readonly Step[] }
  | { readonly warning: string };

/** Float outputs that are put end to end, under a name of their own, in {@link Runtime.giveBack borrowed} memory. */
export type Borrowed = { readonly output: string; readonly parts: readonly ParameterShape[] };

type Job = {
  readonly graph: Graph;
  readonly parameters: readonly ParameterSet[];
  readonly feeds: Tensors;
  readonly outputs: readonly string[];
  readonly borrowed?: Borrowed | undefined;
  readonly plan?: DecodingPlan | undefined;
  readonly onSteps?: ((steps: readonly Step[]) => void) | undefined;
  lent?: Lent | undefined;
  resolve(outputs: Tensors): void;
  reject(error: Error): void;
};

/** A place for a worker: empty before the first job and after a death. What it knows dies with the worker. */
type Hand = {
  worker: Worker | undefined;
  graphs: Set<string>;
  packedGraph: string | undefined;
  versions: readonly Version[];
  job: Job | undefined;
  /** Called when the job is over. */
  whenIdle: (() => void)[];
};

/**
 * A pool of worker threads, each running ONNX graphs on one core. Work is spread over micro-batches, not inside a
 * matrix product: two single-threaded workers beat one session of two threads, and no number depends on how many there are.
 */
export class Runtime {
  static readonly #open = new Set<Runtime>();
  static #halted = false;
  readonly #hands: readonly Hand[];
  readonly #startWorker: () => Worker;
  readonly #waiting: Job[] = [];
  readonly #versions = new WeakMap<ParameterSet, number>();
  readonly #encoded = new Map<string, Uint8Array>();
  readonly #memory: Float32Array[] = [];
  #nextId = 0;
  #nextVersion = 0;
  #warned = false;
  #closed = false;

  private constructor(workers: number, start: () => Worker) {
    this.#startWorker = start;
    this.#hands = Array.from({ length: workers }, emptyHand);
    Runtime.#open.add(this);
  }

  /**
   * @param workers threads; by default one a core. Each starts with its first job.
   * @param start makes a thread that runs `worker.ts`.
   */
  static open(workers = availableParallelism(), start = startWorker): Runtime {
    return new Runtime(workers, start);
  }

  get workers(): number {
    return this.#hands.length;
  }

  /**
   * Runs a graph on the next free worker. Its inputs that `feeds` leaves out are among `parameters`, which must not
   * change any more: a worker keeps its copy.
   * @param borrowed outputs that are too large to be made anew each time: their memory goes round, and the caller gives
   *   it back. Fresh memory costs its first write, and garbage of that size sets off the collector at every step.
   * @throws EngineError with what the executor said, or that the worker died; the next run starts a new one.
   */
  run(
    graph: Graph,
    parameters: readonly ParameterSet[],
    feeds: Tensors,
    outputs: readonly string[],
    borrowed?: Borrowed,
  ): Promise<Tensors> {
    return this.#start({ graph, parameters, feeds, outputs, borrowed });
  }

  /**
   * Runs a step graph until every row of the plan has ended.
   * @param feeds that are the same at each step.
   * @returns the fields of {@link Decoded}, as tensors. @throws EngineError as {@link run}.
   */
  decode(
    graph: Graph,
    parameters: readonly ParameterSet[],
    feeds: Tensors,
    plan: DecodingPlan,
    onSteps?: (steps: readonly Step[]) => void,
  ): Promise<Tensors> {
    return this.#start({ graph, parameters, feeds, outputs: ['token', 'logprob', 'fresh'], plan, onSteps });
  }

  #start(job: Omit<Job, 'resolve' | 'reject'>): Promise<Tensors> {
    if (this.#closed) return Promise.reject(new EngineError('the engine is closed; open another one'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...job, resolve, reject });
      this.#dispatch();
    });
  }

  /** Takes back the memory of a borrowed output that has been read. */
  giveBack(memory: Float32Array): void {
    this.#memory.push(memory);
  }

  #lend({ output, parts }: Borrowed): Lent {
    const length = sizeOf(parts);
    const fitting = this.#memory.findIndex((memory) => memory.length === length);
    const [memory = sharedFloats(length)] = fitting < 0 ? [] : this.#memory.splice(fitting, 1);
    return { output, parts, memory };
  }

  /**
   * Rejects the runs that are not finished, and stops each worker as soon as it is out of the executor: to stop it
   * inside would abort the whole process.
   */
  async close(): Promise<void> {
    this.#closed = true;
    const unfinished = [...this.#hands.map(({ job }) => job), ...this.#waiting.splice(0)];
    for (const job of unfinished) job?.reject(new EngineError('the engine was closed before this run was finished'));
    await this.#allIdle();
    await Promise.all(this.#hands.map(({ worker }) => worker?.terminate()));
    Runtime.#open.delete(this);
  }

  /**
   * Resolves when no worker of any runtime is inside the executor and none will be again, so that the process can end.
   * Runs that are not finished never are: nothing of what waits for them happens any more.
   */
  static async haltAll(): Promise<void> {
    Runtime.#halted = true;
    await Promise.all([...Runtime.#open].map((runtime) => runtime.#allIdle()));
  }

  async #allIdle(): Promise<void> {
    const busy = this.#hands.filter(({ job }) => job !== undefined);
    await Promise.all(busy.map(({ whenIdle }) => new Promise<void>((resolve) => whenIdle.push(resolve))));
  }

  #hire(hand: Hand): Worker {
    const worker = this.#startWorker();
    let lastWords = '';
    worker.on('message', (answer: Answer) => this.#settle(hand, answer));
    worker.on('error', (error) => {
      lastWords = `: ${error.message}`;
    });
    worker.on('exit', (code) => this.#bury(hand, worker, `a worker died with exit code ${code}${lastWords}`));
    worker.unref();
    return worker;
  }

  #bury(hand: Hand, worker: Worker, why: string): void {
    if (hand.worker !== worker) return;
    const { job, whenIdle } = hand;
    Object.assign(hand, emptyHand());
    this.#fail(job, `${job?.graph.key}: ${why}`);
    this.#dispatch();
    for (const tell of whenIdle) tell();
  }

  #dispatch(): void {
    if (Runtime.#halted) return;
    for (const hand of this.#hands) {
      if (hand.job !== undefined) continue;
      const next = this.#waiting.findIndex(({ graph }) => !graph.isWide || hand === this.#hands[0]);
      const [job] = next < 0 ? [] : this.#waiting.splice(next, 1);
      if (job === undefined) continue;
      hand.job = job;
      job.lent = job.borrowed && this.#lend(job.borrowed);
      hand.worker ??= this.#hire(hand);
      hand.worker.ref();
      hand.worker.postMessage(this.#request(hand, job));
    }
  }

  #request(hand: Hand, { graph, parameters, feeds, outputs, lent, plan }: Job): Request {
    return {
      id: this.#nextId++,
      key: graph.key,
      graph: hand.graphs.has(graph.key) ? undefined : this.#introduce(hand, graph),
      parameters: this.#send(hand, parameters),
      feeds,
      outputs,
      lent,
      plan,
    };
  }

  /** A graph that the worker has not seen yet. */
  #introduce(hand: Hand, graph: Graph): SentGraph {
    const { key, mapped, isWide = false } = graph;
    const packs = isWide && mapped !== undefined;
    const replaces = packs ? hand.packedGraph : undefined;
    if (replaces !== undefined) hand.graphs.delete(replaces);
    if (packs) hand.packedGraph = key;
    hand.graphs.add(key);
    const threads = isWide ? this.workers : undefined;
    return { bytes: this.#encode(graph), mapped: mapped && only(mapped), threads, replaces };
  }

  #send(hand: Hand, parameters: readonly ParameterSet[]): SentParameters[] {
    const known = new Set(hand.versions.map(({ id }) => id));
    const needed = parameters.map((set) => ({ id: this.#versionOf(set), bytes: set.flat.byteLength, set }));
    hand.versions = keptVersions(
      hand.versions,
      needed.map(({ id, bytes }) => ({ id, bytes })),
    );
    return needed.map(({ set, ...version }) => ({ ...version, set: known.has(version.id) ? undefined : sent(set) }));
  }

  #encode(graph: Graph): Uint8Array {
    const encoded = this.#encoded.get(graph.key) ?? graph.encode();
    this.#encoded.set(graph.key, encoded);
    return encoded;
  }

  #versionOf(set: ParameterSet): number {
    const version = this.#versions.get(set) ?? this.#nextVersion++;
    this.#versions.set(set, version);
    return version;
  }

  /** Every worker finds the same fault; it is told once. */
  #warn(warning: string): void {
    if (!this.#warned) process.stderr.write(`${visible(warning)}\n`);
    this.#warned = true;
  }

  #settle(hand: Hand, answer: Answer): void {
    if ('warning' in answer) return void this.#warn(answer.warning);
    if ('steps' in answer) return void hand.job?.onSteps?.(answer.steps);
    const { job } = hand;
    hand.job = undefined;
    hand.worker?.unref();
    if (Runtime.#halted) {
      // the run stays unfinished
    } else if ('error' in answer) {
      this.#fail(job, answer.error);
      Object.assign(hand, { graphs: new Set(), packedGraph: undefined, versions: [] }); // how far it came is unknown: send everything again
    } else job?.resolve({ ...answer.outputs, ...(job.lent && { [job.lent.output]: floats(job.lent.memory) }) });
    this.#dispatch();
    tellAll(hand);
  }

  #fail(job: Job | undefined, why: string): void {
    if (job?.lent !== undefined) this.giveBack(job.lent.memory);
    job?.reject(new EngineError(why));
  }
}

function tellAll({ whenIdle }: Hand): void {
  for (const tell of whenIdle.splice(0)) tell();
}

const emptyHand = (): Hand => ({
  worker: undefined,
  graphs: new Set(),
  packedGraph: undefined,
  versions: [],
  job: undefined,
  whenIdle: [],
});

/** Without what cannot be sent. */
const only = ({ folder, file }: Mapped): Mapped => ({ folder, file });

/** Shared memory is not copied on its way to a worker. */
function sent({ flat, parameters }: ParameterSet): ParameterSet {
  return { flat, parameters: parameters.map(({ name, shape }) => ({ name, shape })) };
}

/** From the sources (in development) a worker has to learn TypeScript first. */
export function startWorker(): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./worker.js', import.meta.url));
  const url = new URL('./worker.ts', import.meta.url).href;
  const tsx = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  return new Worker(`import(${tsx}).then((tsx) => (tsx.register(), import(${JSON.stringify(url)})));`, { eval: true });
}
