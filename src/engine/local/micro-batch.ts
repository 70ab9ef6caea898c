import type { Datum, SoftTargets, TokenIds } from '../engine.ts';
import type { LlamaConfig } from './llama-config.ts';
import type { HostTensor, Tensors } from './runtime.ts';

/** Tokens, padding included, of a micro-batch: its activations stay in the cache of one core. */
const TOKENS = 1024;

/** Data of like length that go through the graph together; `indices` are their places in the batch. */
export type MicroBatch = { readonly indices: readonly number[]; readonly time: number; readonly k: number };

/**
 * Cuts a batch into micro-batches by length. The cut depends on the data alone, never on how many workers there are,
 * so that sums are added up in one order on every machine.
 */
export function cutIntoMicroBatches(batch: readonly Datum[]): MicroBatch[] {
  const order = [...batch.keys()].sort(
    (a, b) => width(batch[a]!) - width(batch[b]!) || length(batch[b]!) - length(batch[a]!) || a - b,
  );
  const cut: number[][] = [];
  for (const index of order) {
    const open = cut.at(-1);
    const fits =
      open !== undefined &&
      width(batch[open[0]!]!) === width(batch[index]!) &&
      (open.length + 1) * length(batch[open[0]!]!) <= TOKENS;
    if (fits) open.push(index);
    else cut.push([index]);
  }
  return cut.map((indices) => ({ indices, time: length(batch[indices[0]!]!), k: width(batch[indices[0]!]!) }));
}

const length = ({ input }: Datum): number => input.length;

const isSoft = (targets: TokenIds | SoftTargets): targets is SoftTargets => 'k' in targets;

const width = ({ targets }: Datum): number => (isSoft(targets) ? targets.k : 1);

/** The streams of a micro-batch, padded on the right with weight 0. */
export function microBatchFeeds(
  batch: readonly Datum[],
  { indices, time, k }: MicroBatch,
  config: LlamaConfig,
): Tensors {
  const rows = indices.length;
  const tokens = new BigInt64Array(rows * time);
  const targets = new BigInt64Array(rows * time * k);
  const probabilities = new Float32Array(rows * time * k);
  const weight = new Float32Array(rows * time);
  const sampled = new Float32Array(rows * time);
  indices.forEach((index, row) => {
    const datum = batch[index]!;
    datum.input.forEach((token, at) => {
      tokens[row * time + at] = BigInt(token);
      weight[row * time + at] = (datum.advantages ?? datum.weights)?.[at] ?? 1;
      sampled[row * time + at] = datum.logprobs?.[at] ?? 0;
    });
    fillTargets(datum.targets, targets.subarray(row * time * k), probabilities.subarray(row * time * k));
  });
  return {
    tokens: { type: 'int64', data: tokens, shape: [rows, time] },
    mask: causalMask(time, config.heads / config.keyValueHeads),
    targets: { type: 'int64', data: targets, shape: [rows, time, k] },
    probabilities: { type: 'float32', data: probabilities, shape: [rows, time, k] },
    weight: { type: 'float32', data: weight, shape: [rows, time] },
    sampled: { type: 'float32', data: sampled, shape: [rows, time] },
  };
}

function fillTargets(from: TokenIds | SoftTargets, targets: BigInt64Array, probabilities: Float32Array): void {
  if (isSoft(from)) {
    from.tokens.forEach((token, at) => {
      targets[at] = BigInt(token);
    });
    probabilities.set(from.probabilities);
    return;
  }
  from.forEach((token, at) => {
    targets[at] = BigInt(token);
    probabilities[at] = 1;
  });
}

/** `[group * time, time]`: each row sees itself and what stands before it. */
export function causalMask(time: number, group: number): HostTensor {
  const data = new Float32Array(group * time * time);
  for (let row = 0; row < group * time; row++) data.fill(-1e9, row * time + (row % time) + 1, (row + 1) * time);
  return { type: 'float32', data, shape: [group * time, time] };
}
