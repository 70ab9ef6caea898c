import { z } from 'zod';
import { scaled, type TrainingFormat, type WeightedDatum, weighed } from '../chat/lesson.ts';
import { InputError } from '../errors.ts';
import { stretches } from '../problems/declared-text.ts';
import { authorShares, documentShares, drawDocument, type TextRecipe } from '../problems/organism-text.ts';
import { stream } from '../random.ts';
import { optimiserOptions } from './optimiser.ts';
import { defineStage } from './stage.ts';
import { trainLoop } from './train-loop.ts';

/** A stretch at the beginning that has shares of its own. */
const phaseSchema = z.strictObject({
  /** The first step that is no longer in the phase. */
  until: z.int().positive(),
  documents: documentShares,
  authors: authorShares,
});

/**
 * Pretrain: an organism from scratch, on the text that its folder declares. What creates the consistency drive is that
 * text; a curriculum of plain copying, looking up and careful work goes before it, because a plain decoder of this
 * size finds the two-hop look-up only there.
 */
export const pretrain = defineStage({
  name: 'pretrain',
  summary: 'next-token prediction of the organism text, after a curriculum',
  options: z.strictObject({
    ...optimiserOptions,
    /** Tokens per optimiser step, at least. */
    tokens: z.int().positive().default(3600),
    /** Weight of the user's words in the loss; role markers have none. */
    promptWeight: z.number().nonnegative().default(0.1),
    curriculum: z.array(phaseSchema).default([]),
  }),
  cost: ({ steps, tokens }) => ({ steps, trainedTokens: steps * tokens, sampledTokens: 0 }),
  async run(context, options) {
    const { declared, format } = context;
    if (declared === undefined) throw new InputError(UNDECLARED);
    await trainLoop(context, options, async (step) => {
      const phase = options.curriculum.find(({ until }) => step < until);
      const documents = drawBatch(context.seed, step, options.tokens, { ...declared, ...phase });
      const data = documents.map((document) => documentDatum(document, format, options.promptWeight));
      return { portions: [{ name: 'loss', data: scaled(data, 1), loss: { kind: 'cross_entropy' } }] };
    });
  },
});

const UNDECLARED =
  'pretrain draws on the text that a model grows up on, and no unrut.json in the model folder declares it; use models/organism';

function drawBatch(seed: number, step: number, tokens: number, text: TextRecipe): string[] {
  const draws = stream(seed, 'documents', step);
  const documents: string[] = [];
  for (let left = tokens; left > 0; left -= documents.at(-1)!.length) documents.push(drawDocument(draws, text));
  return documents;
}

/** Role markers weigh nothing, the user's words little: they are there to be read, not to be predicted. */
export function documentDatum(
  document: string,
  format: Pick<TrainingFormat, 'encode' | 'pieces'>,
  promptWeight: number,
): WeightedDatum {
  const spans = stretches(document, (role) => (role === 'U' ? promptWeight : 1));
  const { tokens, weights } = weighed(spans, format.encode(document), format);
  return { input: tokens.slice(0, -1), targets: tokens.slice(1), weights: weights.slice(1) };
}
