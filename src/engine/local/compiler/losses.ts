import type { Loss } from '../../engine.ts';
import type { GraphBuilder, Value } from './onnx/graph-builder.ts';

/** Per-token streams, float `[batch, time]`. */
export type Streams = {
  /** Log-probability of the target under the policy. */
  readonly logprob: Value;
  /** The same under the policy that sampled. */
  readonly sampled: Value;
  /** Weight or advantage; 0 leaves the token out. */
  readonly weight: Value;
};

/** A loss and its derivative with respect to the logprob, per token. */
type TokenLoss = { readonly loss: Value; readonly slope: Value };

/** Scalars. */
export type LossInputs = { readonly low: Value; readonly high: Value; readonly beta: Value };

type LossRule = (graph: GraphBuilder, streams: Streams, loss: LossInputs) => TokenLoss;

/**
 * Every loss is a function of one number per token, so its gradient is a slope per token. `low`, `high` and `beta` are
 * inputs of the graph: changing them needs no new session.
 */
const rules: Readonly<Record<Loss['kind'], LossRule>> = {
  cross_entropy: (graph, { logprob, weight }) => {
    const slope = graph.op('Neg', [weight]);
    return { loss: graph.op('Mul', [slope, logprob]), slope };
  },
  importance_sampling: (graph, streams) => {
    const slope = graph.op('Neg', [graph.op('Mul', [ratio(graph, streams), streams.weight])]);
    return { loss: slope, slope };
  },
  ppo: (graph, streams, { low, high }) => {
    const free = graph.op('Mul', [ratio(graph, streams), streams.weight]);
    const held = graph.op('Mul', [graph.op('Clip', [ratio(graph, streams), low, high]), streams.weight]);
    const inside = graph.op('LessOrEqual', [free, held]);
    const slope = graph.op('Where', [inside, graph.op('Neg', [free]), graph.scalar(0)]);
    return { loss: graph.op('Neg', [graph.op('Min', [free, held])]), slope };
  },
  cispo: (graph, streams, { low, high }) => {
    const held = graph.op('Clip', [ratio(graph, streams), low, high]);
    const slope = graph.op('Neg', [graph.op('Mul', [held, streams.weight])]);
    return { loss: graph.op('Mul', [slope, streams.logprob]), slope };
  },
  dro: (graph, { logprob, sampled, weight }, { beta }) => {
    const drift = graph.op('Sub', [logprob, sampled]);
    const pull = graph.op('Mul', [beta, drift]);
    const half = graph.op('Mul', [graph.op('Mul', [pull, drift]), graph.scalar(0.5)]);
    const loss = graph.op('Sub', [half, graph.op('Mul', [logprob, weight])]);
    return {
      loss: onlyWhereWeighted(graph, weight, loss),
      slope: onlyWhereWeighted(graph, weight, graph.op('Sub', [pull, weight])),
    };
  },
};

export function declareLoss(graph: GraphBuilder): LossInputs {
  const scalar = (name: string) => graph.input(name, 'float32', []);
  return { low: scalar('low'), high: scalar('high'), beta: scalar('beta') };
}

export function tokenLoss(graph: GraphBuilder, kind: Loss['kind'], streams: Streams, loss: LossInputs): TokenLoss {
  return rules[kind](graph, streams, loss);
}

/** p / p_sampled. Padding has equal logprobs of 0, weight 0. */
function ratio(graph: GraphBuilder, { logprob, sampled }: Streams): Value {
  return graph.op('Exp', [graph.op('Sub', [logprob, sampled])]);
}

function onlyWhereWeighted(graph: GraphBuilder, weight: Value, value: Value): Value {
  return graph.op('Where', [graph.op('Equal', [weight, graph.scalar(0)]), graph.scalar(0), value]);
}
