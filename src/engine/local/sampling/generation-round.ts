import { GraphBuilder, type Value } from '../compiler/onnx/graph-builder.ts';
import { type DecoderInputs, type DecoderWeights, decoderStates, logits } from '../model/inference-decoder.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { attendToParts } from '../model/row-attention.ts';
import { CacheKeeper, type Layout, type PromptOfRows, ROUND } from './cache-keeper.ts';
import { type Choice, type ChoiceInputs, type Chosen, chooseToken } from './draw.ts';
import { atTheirPlaces, type LiveRows, liveRows } from './live-rows.ts';

/** Values of the outer graph that the loop's body reads. */
export type Surroundings = {
  readonly config: ModelConfig;
  readonly choice: Choice;
  readonly choiceInputs: ChoiceInputs;
  readonly layout: Layout;
  readonly weights: DecoderWeights;
  readonly rotary: DecoderInputs['rotary'];
  readonly prompt: PromptOfRows;
  /** Float `[rows, 1, 1, tokens]`: the position of each column of a row's own cache; absent where no layer has a window. */
  readonly columns: Value | undefined;
  /** `[rounds, steps, rows, 1]`. */
  readonly uniforms: Value;
  readonly stop: Value;
  /** Outputs of a round before any row has written into them, `[rows, steps]`; absent where all rows always go on. */
  readonly blank: { readonly tokens: Value; readonly logprobs: Value } | undefined;
};

/** The body of the loop. */
export function emitRound(outer: GraphBuilder, surroundings: Surroundings): GraphBuilder {
  const body = new GraphBuilder('round', outer);
  const round = body.input('round', 'int64', []);
  body.input('goOn', 'bool', []);
  let token = body.input('token', 'int64', ['live', 1]);
  let position = body.input('rowPosition', 'int64', ['live', 1]);
  const before = body.input('finished', 'float32', ['live', 1]);
  const { blank, config, prompt, stop } = surroundings;
  const live =
    blank === undefined ? undefined : liveRows(body, body.input('liveIds', 'int64', ['livePrompts', 'liveSamples']));
  const keeper = new CacheKeeper(body, config, prompt, live, surroundings.columns);
  const chosen = drawsOf(body, surroundings, round, live).map((uniform) => {
    const next = emitStep(body, surroundings, { token, position, uniform }, keeper);
    token = next.token;
    position = body.op('Add', [position, body.integers([1])]);
    return next;
  });

  const [tokens, logprobs] = [joined(body, chosen, 'token'), joined(body, chosen, 'logprob')];
  const finished = body.op('Max', [before, stopped(body, tokens, stop)]);
  body.result(anyGoesOn(body, finished), 'bool', []);
  keeper.emitNext({ token, position, finished });
  const placed = (values: Value, onto: Value | undefined) =>
    live === undefined || onto === undefined ? values : atTheirPlaces(body, live, onto, values);
  body.result(placed(tokens, blank?.tokens), 'int64', ['rows', chosen.length]);
  body.result(placed(logprobs, blank?.logprobs), 'float32', ['rows', chosen.length]);
  return body;
}

/** One uniform number per row for each step of this round. */
function drawsOf(
  body: GraphBuilder,
  { uniforms, layout }: Surroundings,
  round: Value,
  live: LiveRows | undefined,
): Value[] {
  const steps = ROUND[layout];
  const ofRound = body.op('Gather', [uniforms, round], { axis: 0 });
  const all = live === undefined ? ofRound : body.op('Gather', [ofRound, live.flat], { axis: 1 });
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
  const { config, choice, choiceInputs, weights, rotary } = surroundings;
  const tokens = body.op('Reshape', [step.token, body.integers([-1])]);
  keeper.beginStep(step.position);
  const states = decoderStates(body, weights, { tokens, position: step.position, rotary }, (layer, heads) =>
    attendToParts(body, config, heads, keeper.parts(layer, heads)),
  );
  return chooseToken(body, choice, choiceInputs, logits(body, weights, states), step.uniform);
}

/** 1 for rows that hold a stop token, else 0: float `[rows, 1]` of tokens `[rows, steps]`. */
export function stopped(graph: GraphBuilder, tokens: Value, stop: Value): Value {
  const hits = graph.op('Equal', [graph.op('Unsqueeze', [tokens, graph.integers([-1])]), stop]);
  const perToken = graph.op('ReduceMax', [graph.op('Cast', [hits], { to: 1 }), graph.integers([-1])], { keepdims: 0 });
  return graph.op('ReduceMax', [perToken, graph.integers([1])]);
}

export function anyGoesOn(graph: GraphBuilder, finished: Value): Value {
  return graph.op('Less', [graph.op('ReduceMin', [finished], { keepdims: 0 }), graph.scalar(1)]);
}
