import { z } from 'zod';
import type { Datum, TokenIds } from '../engine/engine.ts';
import { drawDocument, textRecipeSchema } from '../problems/organism-text.ts';
import { stream } from '../random.ts';
import { optimiserOptions } from './optimiser.ts';
import { defineStage } from './stage.ts';
import { trainLoop } from './train-loop.ts';

/**
 * Pretrain: an organism from scratch. Phases follow one another; each has its own shares of documents and authors. What
 * creates the consistency drive is this text; the arithmetic comes first, the traits of the authors last.
 */
export const pretrain = defineStage({
  name: 'pretrain',
  summary: 'next-token prediction of the organism text, phase by phase',
  options: z.strictObject({
    ...optimiserOptions,
    /** Tokens per optimiser step. */
    tokens: z.int().positive().default(3600),
    /** Weight of the user's words in the loss; role markers have none. */
    promptWeight: z.number().nonnegative().default(0.1),
    phases: z.array(z.strictObject({ until: z.int().positive(), text: textRecipeSchema })).min(1),
  }),
  cost: ({ steps, tokens }) => ({ steps, trainedTokens: steps * tokens, sampledTokens: 0 }),
  run: (context, options) =>
    trainLoop(context, options, async (step) => {
      const { text } = options.phases.find(({ until }) => step < until) ?? options.phases.at(-1)!;
      const documents = drawBatch(context.seed, step, options.tokens, (draws) => drawDocument(draws, text));
      const data = documents.map((document) => documentDatum(document, context.format.encode, options.promptWeight));
      const total = data.reduce((sum, { weights }) => sum + weights.reduce((a, b) => a + b, 0), 0);
      const scaled = data.map((datum) => ({ ...datum, weights: datum.weights.map((weight) => weight / total) }));
      return { portions: [{ name: 'loss', data: scaled, loss: { kind: 'cross_entropy' } }] };
    }),
});

function drawBatch(
  seed: number,
  step: number,
  tokens: number,
  draw: (draws: ReturnType<typeof stream>) => string,
): string[] {
  const draws = stream(seed, 'documents', step);
  const documents: string[] = [];
  for (let left = tokens; left > 0; left -= documents.at(-1)!.length) documents.push(draw(draws));
  return documents;
}

/** Role markers weigh nothing, the user's words little: they are there to be read, not to be predicted. */
export function documentDatum(
  document: string,
  encode: (text: string) => TokenIds,
  promptWeight: number,
): Datum & { readonly weights: readonly number[] } {
  const ids = encode(document);
  let weight = 0;
  const weights = [...document].map((character) => {
    if (!'UAS'.includes(character)) return weight;
    weight = character === 'U' ? promptWeight : 1;
    return 0;
  });
  return { input: ids.slice(0, -1), targets: ids.slice(1), weights: weights.slice(1) };
}
