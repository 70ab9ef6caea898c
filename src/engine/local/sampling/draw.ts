import { GraphBuilder, type Value } from '../compiler/onnx/graph-builder.ts';

/** How the next token is chosen: the likeliest, one drawn from all, or one drawn from the likeliest few. */
export type Choice = 'greedy' | 'draw' | 'drawFiltered';

/** int64 `[rows, 1]` token ids and their logprobs `[rows, 1]`, nats, before filters and, unless asked otherwise, temperature. */
export type Chosen = { readonly token: Value; readonly logprob: Value };

/** Scalars of the whole generation; they are inputs, so that no setting needs a session of its own. */
export type ChoiceInputs = {
  readonly inverseTemperature: Value;
  readonly topK: Value;
  readonly topP: Value;
  /** Whether logprobs are those of the tempered distribution. */
  readonly tempered: boolean;
};

export function declareChoice(graph: GraphBuilder, tempered: boolean): ChoiceInputs {
  return {
    tempered,
    inverseTemperature: graph.input('inverseTemperature', 'float32', []),
    topK: graph.input('topK', 'int64', [1]),
    topP: graph.input('topP', 'float32', []),
  };
}

/**
 * Chooses from logits `[rows, vocabulary]` with one uniform number in [0, 1) per row, `[rows, 1]`. Drawing is by the
 * inverse of the cumulative distribution: exact, and a cheap handful of nodes where Gumbel noise wants a number per token.
 */
export function chooseToken(
  graph: GraphBuilder,
  choice: Choice,
  inputs: ChoiceInputs,
  logits: Value,
  uniform: Value,
): Chosen {
  const token = rules[choice](graph, logits, uniform, inputs);
  const scored = inputs.tempered ? graph.op('Mul', [logits, inputs.inverseTemperature]) : logits;
  const logprobs = graph.op('LogSoftmax', [scored], { axis: -1 });
  return { token, logprob: graph.op('GatherElements', [logprobs, token], { axis: -1 }) };
}

/** {@link ChoiceInputs} of a graph that can choose in every way. */
export type AnyChoiceInputs = ChoiceInputs & {
  readonly isGreedy: Value;
  readonly isFiltered: Value;
  /** What logits are multiplied by before the logprob is read. */
  readonly logitScale: Value;
};

export function declareAnyChoice(graph: GraphBuilder): AnyChoiceInputs {
  return {
    ...declareChoice(graph, false),
    isGreedy: graph.input('isGreedy', 'bool', []),
    isFiltered: graph.input('isFiltered', 'bool', []),
    logitScale: graph.input('logitScale', 'float32', []),
  };
}

/** {@link chooseToken} whose way is an input, for models of which a session for each way would take too much memory. */
export function chooseAny(graph: GraphBuilder, inputs: AnyChoiceInputs, logits: Value, uniform: Value): Chosen {
  const branch = (choice: Choice) => {
    const body = new GraphBuilder(choice, graph);
    body.result(rules[choice](body, logits, uniform, inputs), 'int64', ['rows', 1]);
    return body;
  };
  const drawn = new GraphBuilder('drawn', graph);
  const ways = { then_branch: branch('drawFiltered'), else_branch: branch('draw') };
  drawn.result(drawn.op('If', [inputs.isFiltered], ways), 'int64', ['rows', 1]);
  const token = graph.op('If', [inputs.isGreedy], { then_branch: branch('greedy'), else_branch: drawn });
  const logprobs = graph.op('LogSoftmax', [graph.op('Mul', [logits, inputs.logitScale])], { axis: -1 });
  return { token, logprob: graph.op('GatherElements', [logprobs, token], { axis: -1 }) };
}

type Rule = (graph: GraphBuilder, logits: Value, uniform: Value, inputs: ChoiceInputs) => Value;

const rules: Readonly<Record<Choice, Rule>> = {
  greedy: (graph, logits) => graph.op('ArgMax', [logits], { axis: -1, keepdims: 1 }),
  draw: (graph, logits, uniform, { inverseTemperature }) => {
    const shares = graph.op('Softmax', [graph.op('Mul', [logits, inverseTemperature])], { axis: -1 });
    const cumulative = graph.op('CumSum', [shares, graph.integers([1], [])]);
    return firstAbove(graph, cumulative, uniform, cumulative);
  },
  drawFiltered: (graph, logits, uniform, { inverseTemperature, topK, topP }) => {
    const tempered = graph.op('Mul', [logits, inverseTemperature]);
    const [values, tokens] = graph.ops('TopK', [tempered, topK], 2, { axis: -1 });
    const shares = graph.op('Softmax', [values!], { axis: -1 });
    const cumulative = graph.op('CumSum', [shares, graph.integers([1], [])]);
    const before = graph.op('CumSum', [shares, graph.integers([1], [])], { exclusive: 1 });
    const kept = graph.op('Where', [graph.op('Less', [before, topP]), cumulative, graph.scalar(0)]);
    return graph.op('GatherElements', [tokens!, firstAbove(graph, cumulative, uniform, kept)], { axis: -1 });
  },
};

/**
 * The first place whose cumulative share exceeds uniform * mass, the mass being the largest of `kept`. The sum of the
 * shares is not exactly 1; scaling by it keeps the draw inside, and off tokens that have no share.
 */
function firstAbove(graph: GraphBuilder, cumulative: Value, uniform: Value, kept: Value): Value {
  const mass = graph.op('ReduceMax', [kept, graph.integers([-1])]);
  const below = graph.op('LessOrEqual', [cumulative, graph.op('Mul', [uniform, mass])]);
  return graph.op('ReduceSum', [graph.op('Cast', [below], { to: 7 }), graph.integers([-1])]);
}
