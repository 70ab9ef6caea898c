import { GraphBuilder, type Value } from '../compiler/onnx/graph-builder.ts';
import { keyOf } from '../compiler/parameters.ts';
import {
  attendToSelf,
  type DecoderInputs,
  DecoderWeights,
  declareText,
  decoderStates,
  logits,
  type TextMasks,
} from '../model/inference-decoder.ts';
import type { Model } from '../model/model.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { Cache } from '../model/row-attention.ts';
import { hasWindow } from '../model/window.ts';
import type { Graph } from '../runtime/runtime.ts';
import { type Layout, type PromptOfRows, ROUND } from './cache-keeper.ts';
import { type Choice, chooseToken, declareChoice } from './draw.ts';
import { anyGoesOn, emitRound, type Surroundings, stopped } from './generation-round.ts';

/**
 * A whole generation in one run: the prompt pass, then a loop that ends when every row has met a stop token.
 *
 * A row is one sample of one prompt; a prompt is read once. Prompts are padded on the right; the padding is masked, and
 * a generated token's position is counted from its own prompt's end, so the gap changes nothing. All dimensions are
 * free: one session does for every shape.
 */
export function generationGraph(model: Model, choice: Choice, layout: Layout, tempered = false): Graph {
  const key = `generate ${choice} ${layout}${tempered ? ' tempered' : ''} ${keyOf(model)}`;
  return { key, encode: () => emit(model, choice, layout, tempered).encode(), mapped: model.weights.stored };
}

type Start = { readonly caches: readonly Cache[]; readonly prompt: PromptOfRows };

function emit(model: Model, choice: Choice, layout: Layout, tempered: boolean): GraphBuilder {
  const { config } = model.weights;
  const graph = new GraphBuilder('generation');
  const weights = new DecoderWeights(graph, model);
  const choiceInputs = declareChoice(graph, tempered);
  const { text, masks } = declareText(graph, config);
  const promptOfRow = graph.input('promptOfRow', 'int64', ['rows']);
  const { prompts, firstLogits } = promptPass(graph, config, weights, text, masks, promptOfRow);
  const start = layout === 'shared' ? sharedStart(graph, prompts) : ownStart(graph, prompts, promptOfRow);
  const surroundings: Surroundings = {
    config,
    choice,
    choiceInputs,
    layout,
    weights,
    rotary: text.rotary,
    prompt: start.prompt,
    columns: hasWindow(config) ? graph.input('columns', 'float32', ['rows', 1, 1, 'tokens']) : undefined,
    uniforms: graph.input('uniforms', 'float32', ['rounds', ROUND[layout], 'rows', 1]),
    stop: graph.input('stop', 'int64', ['stops']),
    blank: layout === 'grown' ? undefined : declareBlank(graph, ROUND[layout]),
  };
  const uniform = graph.input('firstUniform', 'float32', ['rows', 1]);
  const first = chooseToken(graph, choice, choiceInputs, firstLogits, uniform);
  graph.output('firstToken', first.token, 'int64', ['rows', 1]);
  graph.output('firstLogprob', first.logprob, 'float32', ['rows', 1]);
  emitLoop(graph, surroundings, first.token, start.caches);
  return graph;
}

function declareBlank(graph: GraphBuilder, steps: number): Surroundings['blank'] {
  return {
    tokens: graph.input('blankTokens', 'int64', ['rows', steps]),
    logprobs: graph.input('blankLogprobs', 'float32', ['rows', steps]),
  };
}

/** Every layer's keys and values by prompt, and each row's logits of the first token, `[rows, vocabulary]`. */
function promptPass(
  graph: GraphBuilder,
  config: ModelConfig,
  weights: DecoderWeights,
  text: DecoderInputs,
  masks: TextMasks,
  promptOfRow: Value,
): { readonly prompts: readonly Cache[]; readonly firstLogits: Value } {
  const prompts: Cache[] = [];
  const wanted = graph.input('lastOfPrompt', 'int64', ['prompts']);
  const states = decoderStates(graph, weights, { ...text, wanted }, (layer, heads) => {
    prompts.push(heads);
    return attendToSelf(graph, config, masks, layer, heads);
  });
  const firstLogits = graph.op('Gather', [logits(graph, weights, states), promptOfRow], { axis: 0 });
  return { prompts, firstLogits };
}

/** Each row starts with a copy of its prompt's cache. */
function ownStart(graph: GraphBuilder, prompts: readonly Cache[], promptOfRow: Value): Start {
  const forRows = (value: Value) => graph.op('Gather', [value, promptOfRow], { axis: 0 });
  return {
    caches: prompts.map(({ keys, values }) => ({ keys: forRows(keys), values: forRows(values) })),
    prompt: { kind: 'own', mask: graph.input('rowMask', 'float32', ['rows', 1, 1, 'tokens']) },
  };
}

/** The prompt's cache stays where it is, its keys turned once for all steps; the rows start with empty ones. */
function sharedStart(graph: GraphBuilder, prompts: readonly Cache[]): Start {
  const empty = graph.op('ConstantOfShape', [graph.input('emptyCache', 'int64', [4])]);
  return {
    caches: prompts.map(() => ({ keys: empty, values: empty })),
    prompt: {
      kind: 'shared',
      caches: prompts.map(({ keys, values }) => ({
        keys: graph.op('Transpose', [keys], { perm: [0, 1, 3, 2] }),
        values,
      })),
      mask: graph.input('promptMask', 'float32', ['prompts', 1, 1, 'time']),
      samples: graph.input('samples', 'int64', [1]),
    },
  };
}

/** State: last token, its position, whether finished, which rows (but for `grown`), and the cache of each layer. */
function emitLoop(graph: GraphBuilder, surroundings: Surroundings, firstToken: Value, caches: readonly Cache[]): void {
  const { layout, stop } = surroundings;
  const finished = stopped(graph, firstToken, stop);
  const state = [
    firstToken,
    graph.input('position', 'int64', ['rows', 1]),
    finished,
    ...(layout === 'grown' ? [] : [graph.input('rowIds', 'int64', ['prompts', 'samples'])]),
    ...caches.flatMap(({ keys, values }) => [keys, values]),
  ];
  const rounds = graph.input('roundCount', 'int64', []);
  const body = emitRound(graph, surroundings);
  const outputs = graph.ops('Loop', [rounds, anyGoesOn(graph, finished), ...state], state.length + 2, { body });
  graph.output('nextTokens', outputs.at(-2)!, 'int64', ['roundsDone', 'rows', ROUND[layout]]);
  graph.output('nextLogprobs', outputs.at(-1)!, 'float32', ['roundsDone', 'rows', ROUND[layout]]);
}
