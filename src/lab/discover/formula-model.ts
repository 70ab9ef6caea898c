import type { Datum, Policy, Sampler, TokenIds } from '../../engine/engine.ts';
import type { SmallShape } from '../text/small-model.ts';
import { LONGEST } from './corpus.ts';
import { type Formula, type FormulaSymbol, isWhole, SYMBOLS } from './formula.ts';

const START = SYMBOLS.length;
const END = START + 1;

export const FORMULA_SHAPE: SmallShape = { vocabulary: END + 1, width: 64, layers: 2, heads: 2, context: LONGEST + 3 };

export const tokensOf = (formula: Formula): number[] => [
  START,
  ...formula.map((symbol) => SYMBOLS.indexOf(symbol)),
  END,
];

export function formulaDatum(
  formula: Formula,
  weight = 1,
): Datum & { readonly targets: TokenIds; readonly weights: number[] } {
  const tokens = tokensOf(formula);
  return { input: tokens.slice(0, -1), targets: tokens.slice(1), weights: tokens.slice(1).map(() => weight) };
}

/** What a model wrote: undefined where it is no whole formula. */
export type Written = {
  readonly formula: Formula | undefined;
  readonly tokens: TokenIds;
  readonly logprobs: readonly number[];
};

export async function write(sampler: Sampler, count: number, seed: number): Promise<Written[]> {
  const [drawn = []] = await sampler.sample([[START]], {
    maxTokens: LONGEST + 1,
    temperature: 1,
    seed,
    samples: count,
    stop: [END],
  });
  return drawn.map(({ tokens, logprobs }) => {
    const symbols = tokens.filter((token) => token < START).map((token) => SYMBOLS[token] as FormulaSymbol); // below START
    return {
      formula: tokens.at(-1) === END && symbols.length === tokens.length - 1 && isWhole(symbols) ? symbols : undefined,
      tokens,
      logprobs,
    };
  });
}

/** A rollout with its advantage, spread over its tokens. */
export function rolloutDatum({ tokens, logprobs }: Written, advantage: number): Datum {
  const input = [START, ...tokens.slice(0, -1)];
  return { input, targets: tokens, logprobs, advantages: tokens.map(() => advantage) };
}

/** The spellings of the law that differ in the order of its sums and products. */
export function spellings(): Formula[] {
  const [numerators, products]: [Formula[], Formula[]] = [
    [
      ['+', 'u', 'v'],
      ['+', 'v', 'u'],
    ],
    [
      ['*', 'u', 'v'],
      ['*', 'v', 'u'],
    ],
  ];
  const denominators = products.flatMap((product): Formula[] => [
    ['+', '1', ...product],
    ['+', ...product, '1'],
  ]);
  return numerators.flatMap((above) => denominators.map((below): Formula => ['/', ...above, ...below]));
}

/** -log2 of the probability that a model writes the law next, over those spellings: exact, also where it never does. */
export async function surpriseAtLaw(policy: Policy): Promise<number> {
  const found = await (await policy.sampler()).logprobs(spellings().map(tokensOf));
  const total = found.reduce((sum, own) => sum + Math.exp(own.subarray(1).reduce((a, b) => a + b, 0)), 0);
  return -Math.log2(total);
}
