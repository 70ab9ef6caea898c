import { type Choice, type ChoiceInputs, type Chosen, chooseToken, declareChoice } from './draw.ts';
import {
  attendToSelf,
  type DecoderInputs,
  type DecoderWeights,
  declareText,
  decoderStates,
  decoderWeights,
  type Heads,
  logits,
} from './inference.ts';
import type { LlamaConfig } from './llama-config.ts';
import { GraphBuilder, type Value } from './onnx/graph-builder.ts';
import { attendToParts, type Cache, ownPart, type Part, type SharedPrompt, sharedPart } from './row-attention.ts';
import type { Graph } from './runtime.ts';

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

/**
 * A whole generation in one run: the prompt pass, then a loop that ends when every row has met a stop token.
 *
 * A row is one sample of one prompt; a prompt is read once. Prompts are padded on the right; the padding is masked, and
 * a generated token's position is counted from its own prompt's end, so the gap changes nothing. All dimensions are
 * free: one session does for every shape.
 */
export function generationGraph(config: LlamaConfig, choice: Choice, layout: Layout): Graph {
  const key = `generate ${choice} ${layout} ${JSON.stringify(config)}`;
  return { key, encode: () => emit(config, choice, layout).encode() };
}

/** Values of the outer graph that the loop's body reads. */
type Surroundings = {
  readonly config: LlamaConfig;
  readonly choice: Choice;
  readonly choiceInputs: ChoiceInputs;
  readonly layout: Layout;
  readonly weights: DecoderWeights;
  readonly cos: Value;
  readonly sin: Value;
  /** By layer; empty where rows keep their own copy. */
  readonly prompts: readonly SharedPrompt[];
  /** `[rows, 1, 1, tokens]` for prompt and continuation: hides the prompt's padding. */
  readonly rowMask: Value | undefined;
  /** `[rounds, steps, rows, 1]`. */
  readonly uniforms: Value;
  readonly stop: Value;
};

type Start = {
  readonly caches: readonly Cache[];
  readonly prompts: readonly SharedPrompt[];
  readonly rowMask: Value | undefined;
};

function emit(config: LlamaConfig, choice: Choice, layout: Layout): GraphBuilder {
  const graph = new GraphBuilder('generation');
  const weights = decoderWeights(graph, config);
  const choiceInputs = declareChoice(graph);
  const { text, causalMask } = declareText(graph, config);
  const promptOfRow = graph.input('promptOfRow', 'int64', ['rows']);
  const { prompts, firstLogits } = promptPass(graph, config, weights, text, causalMask, promptOfRow);
  const start = layout === 'shared' ? sharedStart(graph, prompts) : ownStart(graph, prompts, promptOfRow);
  const surroundings: Surroundings = {
    config,
    choice,
    choiceInputs,
    layout,
    weights,
    cos: text.cos,
    sin: text.sin,
    prompts: start.prompts,
    rowMask: start.rowMask,
    uniforms: graph.input('uniforms', 'float32', ['rounds', ROUND[layout], 'rows', 1]),
    stop: graph.input('stop', 'int64', ['stops']),
  };
  const uniform = graph.input('firstUniform', 'float32', ['rows', 1]);
  const first = chooseToken(graph, choice, choiceInputs, firstLogits, uniform);
  graph.output('firstToken', first.token, 'int64', ['rows', 1]);
  graph.output('firstLogprob', first.logprob, 'float32', ['rows', 1]);
  emitLoop(graph, surroundings, first.token, start.caches);
  return graph;
}

/** Every layer's keys and values by prompt, and each row's logits of the first token, `[rows, vocabulary]`. */
function promptPass(
  graph: GraphBuilder,
  config: LlamaConfig,
  weights: DecoderWeights,
  text: DecoderInputs,
  causalMask: Value,
  promptOfRow: Value,
): { readonly prompts: readonly Cache[]; readonly firstLogits: Value } {
  const prompts: Cache[] = [];
  const wanted = graph.input('lastOfPrompt', 'int64', ['prompts']);
  const states = decoderStates(graph, config, weights, { ...text, wanted }, (_layer, heads) => {
    prompts.push(heads);
    return attendToSelf(graph, config, causalMask, heads);
  });
  const firstLogits = graph.op('Gather', [logits(graph, weights, states), promptOfRow], { axis: 0 });
  return { prompts, firstLogits };
}

/** Each row starts with a copy of its prompt's cache. */
function ownStart(graph: GraphBuilder, prompts: readonly Cache[], promptOfRow: Value): Start {
  const forRows = (value: Value) => graph.op('Gather', [value, promptOfRow], { axis: 0 });
  return {
    caches: prompts.map(({ keys, values }) => ({ keys: forRows(keys), values: forRows(values) })),
    prompts: [],
    rowMask: graph.input('rowMask', 'float32', ['rows', 1, 1, 'tokens']),
  };
}

/** The prompt's cache stays where it is; the rows start with empty ones. */
function sharedStart(graph: GraphBuilder, prompts: readonly Cache[]): Start {
  const mask = graph.input('promptMask', 'float32', ['prompts', 1, 1, 'time']);
  const shapes = {
    bySample: graph.input('bySample', 'int64', [5]),
    byHead: graph.input('byHead', 'int64', [5]),
    joined: graph.input('joined', 'int64', [4]),
    rows: graph.input('rows', 'int64', [4]),
  };
  const size = graph.op('Shape', [mask], { start: 3, end: 4 });
  const empty = graph.op('ConstantOfShape', [graph.input('emptyCache', 'int64', [4])]);
  return {
    caches: prompts.map(() => ({ keys: empty, values: empty })),
    prompts: prompts.map(({ keys, values }) => {
      const turned = graph.op('Transpose', [keys], { perm: [0, 1, 3, 2] });
      return { cache: { keys: turned, values }, size, mask, shapes };
    }),
    rowMask: undefined,
  };
}

/** State: last token, its position, whether finished, and the cache of each layer. */
function emitLoop(graph: GraphBuilder, surroundings: Surroundings, firstToken: Value, caches: readonly Cache[]): void {
  const finished = stopped(graph, firstToken, surroundings.stop);
  const state = [
    firstToken,
    graph.input('position', 'int64', ['rows', 1]),
    finished,
    ...caches.flatMap(({ keys, values }) => [keys, values]),
  ];
  const rounds = graph.input('roundCount', 'int64', []);
  const outputs = graph.ops('Loop', [rounds, anyGoesOn(graph, finished), ...state], state.length + 2, {
    body: emitBody(graph, surroundings),
  });
  const steps = ROUND[surroundings.layout];
  graph.output('nextTokens', outputs.at(-2)!, 'int64', ['roundsDone', 'rows', steps]);
  graph.output('nextLogprobs', outputs.at(-1)!, 'float32', ['roundsDone', 'rows', steps]);
}

function emitBody(outer: GraphBuilder, surroundings: Surroundings): GraphBuilder {
  const body = new GraphBuilder('round', outer);
  const round = body.input('round', 'int64', []);
  body.input('goOn', 'bool', []);
  let token = body.input('token', 'int64', ['rows', 1]);
  let position = body.input('rowPosition', 'int64', ['rows', 1]);
  const finished = body.input('finished', 'float32', ['rows', 1]);
  const keeper = new CacheKeeper(body, surroundings);
  const chosen = drawsOf(body, surroundings, round).map((uniform) => {
    const next = emitStep(body, surroundings, { token, position, uniform }, keeper);
    token = next.token;
    position = body.op('Add', [position, body.integers([1])]);
    return next;
  });

  const [tokens, logprobs] = [joined(body, chosen, 'token'), joined(body, chosen, 'logprob')];
  const nowFinished = body.op('Max', [finished, stopped(body, tokens, surroundings.stop)]);
  body.result(anyGoesOn(body, nowFinished), 'bool', []);
  body.result(token, 'int64', ['rows', 1]);
  body.result(position, 'int64', ['rows', 1]);
  body.result(nowFinished, 'float32', ['rows', 1]);
  keeper.emitNext();
  body.result(tokens, 'int64', ['rows', chosen.length]);
  body.result(logprobs, 'float32', ['rows', chosen.length]);
  return body;
}

/** One uniform number per row for each step of this round. */
function drawsOf(body: GraphBuilder, { uniforms, layout }: Surroundings, round: Value): Value[] {
  const steps = ROUND[layout];
  const all = body.op('Gather', [uniforms, round], { axis: 0 });
  const each = steps === 1 ? [all] : body.ops('Split', [all], steps, { axis: 0, num_outputs: steps });
  return each.map((one) => body.op('Squeeze', [one, body.integers([0])]));
}

function joined(body: GraphBuilder, chosen: readonly Chosen[], part: keyof Chosen): Value {
  const values = chosen.map((each) => each[part]);
  return body.op('Concat', values, { axis: 1 });
}

type Step = { readonly token: Value; readonly position: Value; readonly uniform: Value };

/** Reads one token per row and chooses the next. */
function emitStep(body: GraphBuilder, surroundings: Surroundings, step: Step, keeper: CacheKeeper): Chosen {
  const { config, choice, choiceInputs, weights, cos, sin } = surroundings;
  const tokens = body.op('Reshape', [step.token, body.integers([-1])]);
  keeper.beginStep();
  const states = decoderStates(body, config, weights, { tokens, position: step.position, cos, sin }, (layer, heads) =>
    attendToParts(body, config, heads, keeper.parts(layer, heads)),
  );
  return chooseToken(body, choice, choiceInputs, logits(body, weights, states), step.uniform);
}

/** The caches inside the body of the loop, by {@link Layout}. */
class CacheKeeper {
  readonly #body: GraphBuilder;
  readonly #surroundings: Surroundings;
  readonly #past: readonly Cache[];
  readonly #pastSize: Value;
  readonly #pastMask: Value | undefined;
  readonly #tails: Cache[] = [];
  #steps = 0;
  #tailSize: Value = '';
  #tailMask: Value | undefined;

  constructor(body: GraphBuilder, surroundings: Surroundings) {
    this.#body = body;
    this.#surroundings = surroundings;
    this.#past = this.#inputs();
    this.#pastSize = body.op('Shape', [this.#past[0]!.keys], { start: 2, end: 3 });
    if (surroundings.layout === 'grown') this.#tails.push(...this.#past);
    else this.#pastMask = this.#maskOf(this.#pastSize);
  }

  /** What all layers of a step have in common. */
  beginStep(): void {
    this.#steps += 1;
    const added = this.#body.integers([this.#steps]);
    if (this.#surroundings.layout !== 'grown') {
      this.#tailSize = added;
      return;
    }
    this.#tailSize = this.#body.op('Add', [this.#pastSize, added]);
    this.#tailMask = this.#maskOf(this.#tailSize);
  }

  /** Takes this step's keys and values in, and gives what the step's queries look at. */
  parts(layer: number, { keys, values }: Heads): Part[] {
    const tail = this.#tails[layer];
    const longer = tail === undefined ? { keys, values } : this.#concat(tail, { keys, values });
    this.#tails[layer] = longer;
    const { prompts, layout } = this.#surroundings;
    const past = ownPart(this.#body, this.#past[layer]!, this.#pastSize, this.#pastMask);
    return [
      ...(layout === 'shared' ? [sharedPart(this.#body, prompts[layer]!)] : []),
      ...(layout === 'grown' ? [] : [past]),
      ownPart(this.#body, longer, this.#tailSize, this.#tailMask),
    ];
  }

  /** Declares the caches of the next round, in the order of the inputs. */
  emitNext(): void {
    const { layout, config } = this.#surroundings;
    const shape = ['rows', config.keyValueHeads, 'pastNext', config.headSize];
    this.#past.forEach((past, layer) => {
      const tail = this.#tails[layer]!;
      const next = layout === 'grown' ? tail : this.#concat(past, tail);
      this.#body.result(next.keys, 'float32', shape);
      this.#body.result(next.values, 'float32', shape);
    });
  }

  #inputs(): Cache[] {
    const { layers, keyValueHeads, headSize } = this.#surroundings.config;
    const shape = ['rows', keyValueHeads, 'past', headSize];
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

  #maskOf(size: Value): Value | undefined {
    const { rowMask } = this.#surroundings;
    if (rowMask === undefined) return undefined;
    return this.#body.op('Slice', [rowMask, this.#body.integers([0]), size, this.#body.integers([3])]);
  }
}

/** 1 for rows that hold a stop token, else 0: float `[rows, 1]` of tokens `[rows, steps]`. */
function stopped(graph: GraphBuilder, tokens: Value, stop: Value): Value {
  const hits = graph.op('Equal', [graph.op('Unsqueeze', [tokens, graph.integers([-1])]), stop]);
  const perToken = graph.op('ReduceMax', [graph.op('Cast', [hits], { to: 1 }), graph.integers([-1])], { keepdims: 0 });
  return graph.op('ReduceMax', [perToken, graph.integers([1])]);
}

function anyGoesOn(graph: GraphBuilder, finished: Value): Value {
  return graph.op('Less', [graph.op('ReduceMin', [finished], { keepdims: 0 }), graph.scalar(1)]);
}
