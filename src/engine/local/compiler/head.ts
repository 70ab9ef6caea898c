import type { Loss } from '../../engine.ts';
import { type Model, trainedShapes } from '../model/model.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { overChunks, type RowStream } from './chunks.ts';
import { declareLoss, tokenLoss } from './losses.ts';
import type { GraphBuilder, Value } from './onnx/graph-builder.ts';
import { EMBEDDING, HEAD } from './parameters.ts';
import { project } from './projections.ts';
import { type Branch, Tape } from './tape.ts';

/**
 * @file The output projection and the loss, a chunk of rows at a time: logits of all rows of a large vocabulary would
 * take more memory than the rest of the model. A chunk's loss is differentiated at once, while its logits are there.
 */

/** Logits that a chunk may have. */
const CHUNK_LOGITS = 2 ** 23;

/** Vocabularies from this size on are worth the loop. */
const LARGE_VOCABULARY = 2 ** 13;

/** Rows in equal chunks, the last one filled up. */
export type Chunks = { readonly count: number; readonly rows: number };

/** Into what so many rows are cut; never nothing, because the executor refuses empty inputs. */
export function chunksOf(rows: number, { vocabSize }: ModelConfig): Chunks {
  const count = Math.max(1, Math.ceil(rows / Math.max(1, Math.floor(CHUNK_LOGITS / vocabSize))));
  return { count, rows: count * Math.max(1, Math.ceil(rows / count)) };
}

/** Whether rows go through the head in chunks, and those of weight 0 without a backward pass. */
export const isChunked = ({ vocabSize }: ModelConfig): boolean => vocabSize >= LARGE_VOCABULARY;

type Head = {
  readonly weight: Value;
  readonly branch: Branch | undefined;
  readonly from: number;
  readonly to: number;
  readonly logitCap: number | undefined;
  /** Its parameters that are trained. */
  readonly trained: readonly { readonly name: string; readonly shape: readonly number[] }[];
};

export function headOf(model: Model, branches: ReadonlyMap<Value, Branch>): Head {
  const { config } = model.weights;
  const weight = config.tiedEmbedding ? EMBEDDING : HEAD;
  const branch = branches.get(weight);
  const ofHead = new Set(model.adapter === undefined ? [weight] : [branch?.a, branch?.b]);
  const trained = trainedShapes(model).filter(({ name }) => ofHead.has(name));
  const { hiddenSize: from, vocabSize: to, logitCap } = config;
  return { weight, branch, from, to, logitCap, trained };
}

/** Rows with what is asked of them. */
type AskedRows = {
  /** `[rows, width]`. */
  readonly x: Value;
  /** int64 and float `[rows, k]`. */
  readonly targets: Value;
  readonly probabilities: Value;
};

/** @param name of the inputs' dimension, and the beginning of their names. */
export function declareAsked(graph: GraphBuilder, name: string, x: Value): AskedRows {
  return {
    x,
    targets: graph.input(`${name}Targets`, 'int64', [name, 'k']),
    probabilities: graph.input(`${name}Probabilities`, 'float32', [name, 'k']),
  };
}

const declareChunks = (graph: GraphBuilder, name: string): Value => graph.input(`${name}Chunks`, 'int64', [1]);

function targetLogprob(tape: Tape, head: Head, { x, targets, probabilities }: AskedRows): Value {
  const logits = project(tape, x, head);
  const { logitCap: cap } = head;
  const capped = cap === undefined ? logits : tape.apply('softCap', [logits], { cap });
  return tape.apply('targetLogprob', [capped, targets, probabilities], {});
}

/** Logprobs of the targets without gradients, a chunk at a time, `[rows]`. */
export function chunkedLogprobs(graph: GraphBuilder, head: Head, name: string, asked: AskedRows): Value {
  const { results } = overChunks(graph, declareChunks(graph, name), streamsOf(asked), [], (body, streams) => {
    const logprob = targetLogprob(chunkTape(body, head), head, askedOf(streams));
    return { results: [{ value: logprob, tail: [] }], terms: [] };
  });
  return results[0]!;
}

const streamsOf = ({ x, targets, probabilities }: AskedRows): RowStream[] =>
  [x, targets, probabilities].map((value) => ({ value, isWide: true }));

const askedOf = ([x, targets, probabilities]: readonly Value[]): AskedRows => ({
  x: x!,
  targets: targets!,
  probabilities: probabilities!,
});

const chunkTape = (body: GraphBuilder, { weight, branch }: Head): Tape =>
  new Tape(body, new Map(branch === undefined ? [] : [[weight, branch]]));

export type HeadLoss = {
  /** Of each row. */
  readonly logprobs: Value;
  readonly losses: Value;
  /** What the tape goes back from. */
  readonly gradients: ReadonlyMap<Value, Value>;
};

/** The loss on a tape, all rows at once. */
export function wholeLoss(tape: Tape, head: Head, asked: AskedRows, kind: Loss['kind']): HeadLoss {
  const { graph } = tape;
  const logprob = targetLogprob(tape, head, asked);
  const [weight, sampled] = declareStreams(graph);
  const { loss, slope } = tokenLoss(graph, kind, { logprob, weight: weight!, sampled: sampled! }, declareLoss(graph));
  return { logprobs: logprob, losses: loss, gradients: new Map([[logprob, slope]]) };
}

const declareStreams = (graph: GraphBuilder): Value[] =>
  ['weight', 'sampled'].map((name) => graph.input(name, 'float32', ['asked']));

/** A chunk at a time, without gradients. */
export function chunkedForward({ graph }: Tape, head: Head, asked: AskedRows, kind: Loss['kind']): HeadLoss {
  const logprob = chunkedLogprobs(graph, head, 'asked', asked);
  const [weight, sampled] = declareStreams(graph);
  const { loss } = tokenLoss(graph, kind, { logprob, weight: weight!, sampled: sampled! }, declareLoss(graph));
  return { logprobs: logprob, losses: loss, gradients: new Map() };
}

/** A chunk at a time: gradients of the rows and of what is trained of the head. */
export function chunkedLoss({ graph }: Tape, head: Head, asked: AskedRows, kind: Loss['kind']): HeadLoss {
  const scalars = declareLoss(graph);
  const own = declareStreams(graph).map((value) => ({ value, isWide: false }));
  const chunks = declareChunks(graph, 'asked');
  const { results, sums } = overChunks(graph, chunks, [...streamsOf(asked), ...own], head.trained, (body, streams) => {
    const tape = chunkTape(body, head);
    const ofChunk = askedOf(streams);
    const logprob = targetLogprob(tape, head, ofChunk);
    const { loss, slope } = tokenLoss(body, kind, { logprob, weight: streams[3]!, sampled: streams[4]! }, scalars);
    const wanted = [ofChunk.x, ...head.trained.map(({ name }) => name)];
    const [onRows, ...terms] = tape.gradients(new Map([[logprob, slope]]), wanted);
    const perRow = [logprob, loss].map((value) => ({ value, tail: [] }));
    return { results: [...perRow, { value: onRows!, tail: [head.from] }], terms };
  });
  const [logprobs, losses, onRows] = results as [Value, Value, Value]; // as many as the body gives
  const ofHead = head.trained.map(({ name }, nth) => [name, sums[nth]!] as const);
  return { logprobs, losses, gradients: new Map([[asked.x, onRows], ...ofHead]) };
}
