import type { GraphBuilder, Value } from '../compiler/onnx/graph-builder.ts';
import type { Heads } from '../model/inference-decoder.ts';
import type { ModelConfig } from '../model/model-config.ts';
import {
  type Cache,
  hiding,
  ownPart,
  type Part,
  type SharedPrompt,
  sharedPart,
  sharedShapes,
} from '../model/row-attention.ts';
import { leftBehind } from '../model/window.ts';
import { carriedOn, extent, type LiveRows, type RowState } from './live-rows.ts';

/**
 * How keys and values are kept.
 * - `grown`: one cache per row, a copy longer by one at each step. Fewest nodes: best for a few rows.
 * - `blocks`: the cache grows by a block at a time; within a block it is only read, and the block's own tokens are kept
 *   in a small tail. Copies least: best for many rows.
 * - `shared`: like `blocks`, but the prompt is kept once for all its samples.
 */
export type Layout = 'grown' | 'blocks' | 'shared';

/**
 * Steps in one round of the loop. Eight are as fast as four, but load five times as slowly and run on for longer after
 * the last stop token.
 */
export const ROUND: Readonly<Record<Layout, number>> = { grown: 1, blocks: 4, shared: 4 };

/** How rows see their prompts: as the beginning of their own caches, or apart. */
export type PromptOfRows =
  | {
      readonly kind: 'own';
      /** `[rows, 1, 1, tokens]` for prompt and continuation: hides the prompt's padding. */
      readonly mask: Value;
    }
  | {
      readonly kind: 'shared';
      /** By layer: keys `[prompts, keyValueHeads, size, time]`, values `[prompts, keyValueHeads, time, size]`. */
      readonly caches: readonly Cache[];
      /** `[prompts, 1, 1, time]`. */
      readonly mask: Value;
      readonly samples: Value;
    };

/** The caches inside the body of the loop, by {@link Layout}. */
export class CacheKeeper {
  readonly #body: GraphBuilder;
  readonly #config: ModelConfig;
  readonly #live: LiveRows | undefined;
  readonly #past: readonly Cache[];
  readonly #pastSize: Value;
  /** By layer; empty where the past begins with the prompt. */
  readonly #prompts: readonly SharedPrompt[];
  /** `[rows, 1, 1, tokens]`. */
  readonly #rowMask: Value | undefined;
  readonly #pastMask: Value | undefined;
  readonly #tails: Cache[] = [];
  #steps = 0;
  #tailSize: Value = '';
  #tailMask: Value | undefined;
  /** Float `[live, 1, 1, tokens]`: positions of the columns of past and tail. */
  readonly #columns: Value | undefined;
  /** Float `[live, 1, 1, 1]`: the position of the step's token. */
  #now: Value = '';

  /** @param columns positions of the columns of a row's own cache, where a layer has a window. */
  constructor(
    body: GraphBuilder,
    config: ModelConfig,
    prompt: PromptOfRows,
    live: LiveRows | undefined,
    columns: Value | undefined,
  ) {
    this.#body = body;
    this.#config = config;
    this.#live = live;
    this.#past = this.#inputs();
    this.#pastSize = body.op('Shape', [this.#past[0]!.keys], { start: 2, end: 3 });
    this.#prompts = prompt.kind === 'shared' ? livePrompts(body, config, prompt, live!) : [];
    if (prompt.kind === 'own') this.#rowMask = live === undefined ? prompt.mask : this.#ofLive(prompt.mask, live);
    if (columns !== undefined) this.#columns = live === undefined ? columns : this.#ofLive(columns, live);
    if (live === undefined) this.#tails.push(...this.#past);
    else this.#pastMask = this.#maskOf(this.#pastSize);
  }

  /** What all layers of a step have in common. @param position int64 `[live, 1]` of the token that is read. */
  beginStep(position: Value): void {
    this.#steps += 1;
    if (this.#columns !== undefined) {
      const column = this.#body.op('Cast', [position], { to: 1 });
      this.#now = this.#body.op('Reshape', [column, this.#body.integers([-1, 1, 1, 1])]);
    }
    const added = this.#body.integers([this.#steps]);
    this.#tailSize = this.#live === undefined ? this.#body.op('Add', [this.#pastSize, added]) : added;
    if (this.#live === undefined) this.#tailMask = this.#maskOf(this.#tailSize);
  }

  /** Takes this step's keys and values in, and gives what the step's queries look at. */
  parts(layer: number, { keys, values }: Heads): Part[] {
    const tail = this.#tails[layer];
    const longer = tail === undefined ? { keys, values } : this.#concat(tail, { keys, values });
    this.#tails[layer] = longer;
    const own = ownPart(this.#body, longer, this.#tailSize, this.#tailMask);
    if (this.#live === undefined) return [this.#windowed(layer, own)];
    const past = ownPart(this.#body, this.#past[layer]!, this.#pastSize, this.#pastMask);
    const seen = [this.#windowed(layer, past), this.#windowed(layer, own, this.#pastSize)];
    const prompt = this.#prompts[layer];
    return prompt === undefined ? seen : [this.#windowedPrompt(layer, prompt), ...seen];
  }

  /** A part of the row's own cache from a column on, as far back as the layer looks. */
  #windowed(layer: number, part: Part, start?: Value): Part {
    const window = this.#config.sights[layer]?.window;
    if (window === undefined || this.#columns === undefined) return part;
    const from = start ?? this.#body.integers([0]);
    const to = this.#body.op('Add', [from, part.size]);
    const positions = this.#body.op('Slice', [this.#columns, from, to, this.#body.integers([3])]);
    return hiding(this.#body, part, leftBehind(this.#body, positions, this.#now, window));
  }

  /** The same for a prompt that stands apart: its columns are its positions. */
  #windowedPrompt(layer: number, prompt: SharedPrompt): Part {
    const part = sharedPart(this.#body, prompt);
    const window = this.#config.sights[layer]?.window;
    if (window === undefined) return part;
    const [first, step] = [this.#body.integers([0], []), this.#body.integers([1], [])];
    const count = this.#body.op('Reshape', [part.size, this.#body.integers([], [0])]);
    const positions = this.#body.op('Cast', [this.#body.op('Range', [first, count, step])], { to: 1 });
    return hiding(this.#body, part, leftBehind(this.#body, positions, this.#now, window));
  }

  /** Declares what the next round starts with, in the order of the inputs. */
  emitNext(state: RowState): void {
    const caches = this.#past.map((past, layer) => ({ past, tail: this.#tails[layer]! }));
    const live = this.#live;
    const [token, position, finished, ...others] =
      live === undefined
        ? [
            this.#body.op('Identity', [state.token]), // it is an output already
            state.position,
            state.finished,
            ...caches.flatMap(({ tail }) => [tail.keys, tail.values]),
          ]
        : carriedOn(this.#body, live, state, caches);
    this.#body.result(token!, 'int64', ['liveNext', 1]);
    this.#body.result(position!, 'int64', ['liveNext', 1]);
    this.#body.result(finished!, 'float32', ['liveNext', 1]);
    const ids = live === undefined ? undefined : others.shift()!;
    if (ids !== undefined) this.#body.result(ids, 'int64', ['promptsNext', 'samplesNext']);
    const { keyValueHeads, headSize } = this.#config;
    for (const part of others) this.#body.result(part, 'float32', ['liveNext', keyValueHeads, 'pastNext', headSize]);
  }

  #inputs(): Cache[] {
    const { layers, keyValueHeads, headSize } = this.#config;
    const shape = ['live', keyValueHeads, 'past', headSize];
    return Array.from({ length: layers }, (_, layer) => ({
      keys: this.#body.input(`keys${layer}`, 'float32', shape),
      values: this.#body.input(`values${layer}`, 'float32', shape),
    }));
  }

  #concat(first: Cache, second: Cache): Cache {
    return {
      keys: this.#body.op('Concat', [first.keys, second.keys], { axis: 2 }),
      values: this.#body.op('Concat', [first.values, second.values], { axis: 2 }),
    };
  }

  #ofLive(value: Value, live: LiveRows): Value {
    return this.#body.op('Gather', [value, live.flat], { axis: 0 });
  }

  #maskOf(size: Value): Value | undefined {
    if (this.#rowMask === undefined) return undefined;
    return this.#body.op('Slice', [this.#rowMask, this.#body.integers([0]), size, this.#body.integers([3])]);
  }
}

/** The prompts of the rows that go on. */
function livePrompts(
  body: GraphBuilder,
  config: ModelConfig,
  { caches, mask, samples }: PromptOfRows & { readonly kind: 'shared' },
  live: LiveRows,
): SharedPrompt[] {
  const firsts = body.op('Gather', [live.ids, body.integers([0], [])], { axis: 1 });
  const promptIds = body.op('Div', [firsts, samples]);
  const ofLive = (value: Value) => body.op('Gather', [value, promptIds], { axis: 0 });
  const now = extent(body, live);
  const common = {
    size: body.op('Shape', [mask], { start: 3, end: 4 }),
    mask: ofLive(mask),
    shapes: sharedShapes(body, config, now.prompts, now.samples),
  };
  return caches.map(({ keys, values }) => ({ cache: { keys: ofLive(keys), values: ofLive(values) }, ...common }));
}
