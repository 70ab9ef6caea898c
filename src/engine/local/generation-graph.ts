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
import type { Graph } from './runtime.ts';

/**
 * Steps in the body of the loop. A loop copies what it carries in every round, so the cache is carried once per block:
 * inside the body it is only read, and the block's own keys and values lie in a small tail.
 */
export const BLOCK = 8;

/**
 * A whole generation in one run: the prompt pass, then a loop of blocks that ends when every row has met a stop token.
 *
 * A batch is `prompts` times `samples` rows. A prompt's keys and values are computed once and read by all its samples,
 * as one product per head. Prompts are padded on the right and their padding is masked; a generated token's position
 * is counted from its own prompt's end. All dimensions are free, so one session does for every shape.
 *
 * Layout: `[prompts, keyValueHeads, group, samples, time, size]`, where a cache has group 1.
 */
export function generationGraph(config: LlamaConfig, choice: Choice): Graph {
  return { key: `generate ${choice} ${JSON.stringify(config)}`, encode: () => emit(config, choice).encode() };
}

/** Values of the outer graph that the loop's body reads. */
type Surroundings = {
  readonly config: LlamaConfig;
  readonly choice: Choice;
  readonly choiceInputs: ChoiceInputs;
  readonly weights: DecoderWeights;
  readonly rowInputs: Omit<DecoderInputs, 'tokens' | 'position'>;
  readonly prompt: readonly PromptCache[];
  /** `[prompts, 1, 1, time]`, added to the scores of prompt tokens. */
  readonly promptMask: Value;
  /** int64 shapes: `[0, keyValueHeads, group, samples, 1, -1]` and `[0, keyValueHeads, group * samples, -1]`. */
  readonly perRow: Value;
  readonly perPrompt: Value;
  readonly uniforms: Value;
  readonly stop: Value;
};

/** Keys `[prompts, keyValueHeads, size, time]`, values `[prompts, keyValueHeads, time, size]`. */
type PromptCache = { readonly keys: Value; readonly values: Value };

/** Keys and values of one layer, `[prompts, keyValueHeads, 1, samples, time, size]`. */
type Cache = { readonly keys: Value; readonly values: Value };

function emit(config: LlamaConfig, choice: Choice): GraphBuilder {
  const graph = new GraphBuilder('generation');
  const weights = decoderWeights(graph, config);
  const choiceInputs = declareChoice(graph);
  const { text, causalMask } = declareText(graph, config);
  const { prompt, states } = promptPass(graph, config, weights, text, causalMask);
  const surroundings: Surroundings = {
    config,
    choice,
    choiceInputs,
    weights,
    rowInputs: { ...text, split: graph.input('rowSplit', 'int64', [4]) },
    prompt,
    promptMask: graph.input('promptMask', 'float32', ['prompts', 1, 1, 'promptTime']),
    perRow: graph.input('perRow', 'int64', [6]),
    perPrompt: graph.input('perPrompt', 'int64', [4]),
    uniforms: graph.input('uniforms', 'float32', ['blocks', BLOCK, 'rows', 1]),
    stop: graph.input('stop', 'int64', ['stops']),
  };
  const uniform = graph.input('firstUniform', 'float32', ['rows', 1]);
  const first = chooseToken(graph, choice, choiceInputs, logits(graph, weights, states), uniform);
  graph.output('firstToken', first.token, 'int64', ['rows', 1]);
  graph.output('firstLogprob', first.logprob, 'float32', ['rows', 1]);
  emitLoop(graph, surroundings, first.token);
  return graph;
}

/** Every layer's keys and values, and the state from which each row's first token is chosen, `[rows, width]`. */
function promptPass(
  graph: GraphBuilder,
  config: LlamaConfig,
  weights: DecoderWeights,
  text: DecoderInputs,
  causalMask: Value,
): { readonly prompt: readonly PromptCache[]; readonly states: Value } {
  const prompt: PromptCache[] = [];
  const all = decoderStates(graph, config, weights, text, (_layer, heads) => {
    prompt.push({ keys: graph.op('Transpose', [heads.keys], { perm: [0, 1, 3, 2] }), values: heads.values });
    return attendToSelf(graph, config, causalMask, heads);
  });
  const last = graph.input('lastOfPrompt', 'int64', ['rows']);
  return { prompt, states: graph.op('Gather', [all, last], { axis: 0 }) };
}

/** State: last token, position, whether finished, and the cache of each layer. */
function emitLoop(graph: GraphBuilder, surroundings: Surroundings, firstToken: Value): void {
  const { config, stop } = surroundings;
  const empty = graph.input('emptyCache', 'float32', [
    'prompts',
    config.keyValueHeads,
    1,
    'samples',
    0,
    config.headSize,
  ]);
  const finished = stopped(graph, firstToken, stop);
  const state = [
    firstToken,
    graph.input('position', 'int64', ['prompts', 'samples']),
    finished,
    ...Array.from({ length: 2 * config.layers }, () => empty),
  ];
  const blocks = graph.input('blockCount', 'int64', []);
  const outputs = graph.ops('Loop', [blocks, anyGoesOn(graph, finished), ...state], state.length + 2, {
    body: emitBody(graph, surroundings),
  });
  graph.output('nextTokens', outputs.at(-2)!, 'int64', ['rounds', 'rows', BLOCK]);
  graph.output('nextLogprobs', outputs.at(-1)!, 'float32', ['rounds', 'rows', BLOCK]);
}

function emitBody(outer: GraphBuilder, surroundings: Surroundings): GraphBuilder {
  const { config, uniforms, stop } = surroundings;
  const body = new GraphBuilder('block', outer);
  const round = body.input('round', 'int64', []);
  body.input('goOn', 'bool', []);
  let token = body.input('token', 'int64', ['rows', 1]);
  let position = body.input('rowPosition', 'int64', ['prompts', 'samples']);
  const finished = body.input('finished', 'float32', ['rows', 1]);
  const past = pastInputs(body, config);
  const tails: Cache[] = [];

  const draws = body.ops('Split', [body.op('Gather', [uniforms, round], { axis: 0 })], BLOCK, {
    axis: 0,
    num_outputs: BLOCK,
  });
  const chosen: Chosen[] = [];
  for (let step = 0; step < BLOCK; step++) {
    chosen.push(emitStep(body, surroundings, { token, position, past, tails, uniform: draws[step]! }));
    token = chosen[step]!.token;
    position = body.op('Add', [position, body.integers([1])]);
  }

  const tokens = body.op(
    'Concat',
    chosen.map((each) => each.token),
    { axis: 1 },
  );
  const logprobs = body.op(
    'Concat',
    chosen.map((each) => each.logprob),
    { axis: 1 },
  );
  const nowFinished = body.op('Max', [finished, stopped(body, tokens, stop)]);
  body.output('goOnNext', anyGoesOn(body, nowFinished), 'bool', []);
  body.output('tokenNext', token, 'int64', ['rows', 1]);
  body.output('positionNext', position, 'int64', ['prompts', 'samples']);
  body.output('finishedNext', nowFinished, 'float32', ['rows', 1]);
  past.forEach((cache, layer) => {
    emitGrownCache(body, config, layer, cache, tails[layer]!);
  });
  body.output('blockTokens', tokens, 'int64', ['rows', BLOCK]);
  body.output('blockLogprobs', logprobs, 'float32', ['rows', BLOCK]);
  return body;
}

function pastInputs(body: GraphBuilder, { layers, keyValueHeads, headSize }: LlamaConfig): Cache[] {
  const shape = ['prompts', keyValueHeads, 1, 'samples', 'past', headSize];
  return Array.from({ length: layers }, (_, layer) => ({
    keys: body.input(`keys${layer}`, 'float32', shape),
    values: body.input(`values${layer}`, 'float32', shape),
  }));
}

function emitGrownCache(body: GraphBuilder, config: LlamaConfig, layer: number, past: Cache, tail: Cache): void {
  const shape = ['prompts', config.keyValueHeads, 1, 'samples', 'pastNext', config.headSize];
  for (const part of ['keys', 'values'] as const) {
    const grown = body.op('Concat', [past[part], tail[part]], { axis: 4 });
    body.output(`${part}Next${layer}`, grown, 'float32', shape);
  }
}

type Step = {
  readonly token: Value;
  readonly position: Value;
  readonly past: readonly Cache[];
  /** The block's keys and values so far, by layer; grows by this step's. */
  readonly tails: Cache[];
  readonly uniform: Value;
};

/** Reads one token per row and chooses the next. */
function emitStep(body: GraphBuilder, surroundings: Surroundings, step: Step): Chosen {
  const { config, choice, choiceInputs, weights, rowInputs } = surroundings;
  const tokens = body.op('Reshape', [step.token, body.integers([-1])]);
  const inputs = { ...rowInputs, tokens, position: step.position };
  const states = decoderStates(body, config, weights, inputs, (layer, heads) => {
    const tail = longerTail(body, config, step.tails[layer], heads);
    step.tails[layer] = tail;
    return attendToCaches(body, surroundings, layer, heads.queries, [step.past[layer]!, tail]);
  });
  const uniform = body.op('Squeeze', [step.uniform, body.integers([0])]);
  return chooseToken(body, choice, choiceInputs, logits(body, weights, states), uniform);
}

function longerTail(body: GraphBuilder, config: LlamaConfig, tail: Cache | undefined, heads: Heads): Cache {
  const shape = body.integers([0, config.keyValueHeads, 1, -1, 1, config.headSize]);
  const keys = body.op('Reshape', [heads.keys, shape]);
  const values = body.op('Reshape', [heads.values, shape]);
  if (tail === undefined) return { keys, values };
  return {
    keys: body.op('Concat', [tail.keys, keys], { axis: 4 }),
    values: body.op('Concat', [tail.values, values], { axis: 4 }),
  };
}

/** One softmax over the prompt's tokens and those of each cache. */
function attendToCaches(
  body: GraphBuilder,
  { config, prompt, promptMask, perRow, perPrompt }: Surroundings,
  layer: number,
  queries: Value,
  caches: readonly Cache[],
): Value {
  const { heads, keyValueHeads, headSize } = config;
  const { keys, values } = prompt[layer]!;
  const folded = body.op('Reshape', [queries, body.integers([0, keyValueHeads, -1, headSize])]);
  const scored = body.op('Add', [body.op('MatMul', [folded, keys]), promptMask]);
  const single = body.op('Reshape', [queries, perRow]);
  const own = caches.map((cache) => body.microsoft('FusedMatMul', [single, cache.keys], { transB: 1 }));
  const scores = [body.op('Reshape', [scored, perRow]), ...own];
  const shares = body.op('Softmax', [body.op('Concat', scores, { axis: 5 })], { axis: -1 });
  const [promptShares, ...ownShares] = splitLike(body, shares, scores);

  const fromPrompt = body.op('MatMul', [body.op('Reshape', [promptShares!, perPrompt]), values]);
  const flat = body.integers([0, heads, -1, headSize]);
  const parts = ownShares.map((share, nth) => body.op('MatMul', [share, caches[nth]!.values]));
  const mixed = [fromPrompt, ...parts].map((part) => body.op('Reshape', [part, flat]));
  return mixed.reduce((sum, part) => body.op('Add', [sum, part]));
}

/** Cuts the last axis as these parts were joined. */
function splitLike(body: GraphBuilder, joined: Value, parts: readonly Value[]): Value[] {
  const sizes = parts.map((part) => body.op('Shape', [part], { start: 5, end: 6 }));
  return body.ops('Split', [joined, body.op('Concat', sizes, { axis: 0 })], parts.length, { axis: 5 });
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
