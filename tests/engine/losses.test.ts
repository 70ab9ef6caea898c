import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import type { Loss } from '../../src/engine/engine.ts';
import { declareLoss, tokenLoss } from '../../src/engine/local/compiler/losses.ts';
import { GraphBuilder } from '../../src/engine/local/compiler/onnx/graph-builder.ts';

/** Every way in which a token can stand: ratio below, inside and above the clip; praise, blame and neither. */
const tokens = [-2.5, -1.3, -0.4].flatMap((logprob) =>
  [-0.9, -0.05, 0.07, 0.8].flatMap((drift) =>
    [1.7, -0.6, 0].map((weight) => ({ logprob, sampled: logprob - drift, weight })),
  ),
);

type Token = (typeof tokens)[number];

/** The definitions of engine.ts in plain arithmetic. `held` is what a loss keeps out of its gradient. */
const definitions: { readonly [Kind in Loss['kind']]: (token: Token, loss: Loss, held: Token) => number } = {
  cross_entropy: ({ logprob, weight }) => -weight * logprob,
  importance_sampling: ({ logprob, sampled, weight }) => -Math.exp(logprob - sampled) * weight,
  ppo: ({ logprob, sampled, weight }, loss) => {
    const ratio = Math.exp(logprob - sampled);
    return -Math.min(ratio * weight, clipped(ratio, loss) * weight);
  },
  cispo: ({ logprob, weight }, loss, held) => -clipped(Math.exp(held.logprob - held.sampled), loss) * weight * logprob,
  dro: ({ logprob, sampled, weight }, loss) => {
    if (weight === 0 || !('beta' in loss)) return 0;
    return -(logprob * weight - (loss.beta / 2) * (logprob - sampled) ** 2);
  },
};

function clipped(ratio: number, loss: Loss): number {
  return 'low' in loss ? Math.min(Math.max(ratio, loss.low), loss.high) : ratio;
}

/** Central difference in double precision; no token stands within a step of a kink. */
function slope(token: Token, loss: Loss): number {
  const at = (logprob: number) => definitions[loss.kind]({ ...token, logprob }, loss, token);
  return (at(token.logprob + 1e-5) - at(token.logprob - 1e-5)) / 2e-5;
}

async function computed(loss: Loss): Promise<Record<'loss' | 'slope', Float32Array>> {
  const graph = new GraphBuilder('loss');
  const names = ['logprob', 'sampled', 'weight'] as const;
  const [logprob, sampled, weight] = names.map((name) => graph.input(name, 'float32', [tokens.length]));
  const streams = { logprob: logprob!, sampled: sampled!, weight: weight! };
  const found = tokenLoss(graph, loss.kind, streams, declareLoss(graph));
  graph.output('loss', found.loss, 'float32', [tokens.length]);
  graph.output('slope', found.slope, 'float32', [tokens.length]);
  const session = await InferenceSession.create(graph.encode(), { logSeverityLevel: 3 });
  const given = names.map((name) => [name, new Tensor(Float32Array.from(tokens, (token) => token[name]))]);
  const options = { low: 0, high: 0, beta: 0, ...loss };
  const scalars = (['low', 'high', 'beta'] as const).map((name) => [
    name,
    new Tensor('float32', Float32Array.of(options[name]), []),
  ]);
  const results = await session.run(Object.fromEntries([...given, ...scalars]));
  return { loss: results.loss!.data as Float32Array, slope: results.slope!.data as Float32Array }; // float outputs
}

describe.each<Loss>([
  { kind: 'cross_entropy' },
  { kind: 'importance_sampling' },
  { kind: 'ppo', low: 0.8, high: 1.2 },
  { kind: 'cispo', low: 0.7, high: 1.1 },
  { kind: 'dro', beta: 0.4 },
])('$kind', (loss) => {
  test('has the value that engine.ts defines', async () => {
    const found = await computed(loss);
    tokens.forEach((token, at) => {
      expect(found.loss[at]).toBeCloseTo(definitions[loss.kind](token, loss, token), 5);
    });
  });

  test('has the slope of that value', async () => {
    const found = await computed(loss);
    tokens.forEach((token, at) => {
      expect(found.slope[at]).toBeCloseTo(slope(token, loss), 5);
    });
  });
});
