import { z } from 'zod';
import { scaled, type WeightedDatum } from '../chat/lesson.ts';
import type { TokenIds } from '../engine/engine.ts';
import { InputError } from '../errors.ts';
import { stream } from '../random.ts';
import { type Document, drawDocument, encodeDocument, withShares } from '../texts/base-text.ts';
import { optimiserOptions } from './optimiser.ts';
import { defineStage } from './stage.ts';
import { trainLoop } from './train-loop.ts';

/** By the names that the text has for its kinds of document and its authors. */
const shares = z.record(z.string(), z.number().nonnegative());

/** A stretch at the beginning that has shares of its own. */
const phaseSchema = z.strictObject({
  /** The first step that is no longer in the phase. */
  until: z.int().positive(),
  documents: shares,
  authors: shares,
});

/**
 * Pretrain: a model from scratch, on the text that its folder declares. What creates the consistency drive is that
 * text; a curriculum of plain copying, looking up and careful work goes before it, because a plain decoder of this
 * size finds the two-hop look-up only there.
 */
export const pretrain = defineStage({
  name: 'pretrain',
  summary: 'next-token prediction of the text that the model folder declares, after a curriculum',
  options: z.strictObject({
    ...optimiserOptions,
    /** Tokens per optimiser step, at least. */
    tokens: z.int().positive().max(10_000_000).default(3600),
    /** Weight of the user's words in the loss; role markers have none. */
    promptWeight: z.number().nonnegative().default(0.1),
    curriculum: z.array(phaseSchema).default([]),
  }),
  cost: ({ steps, tokens }) => ({ steps, trainedTokens: steps * tokens, sampledTokens: 0 }),
  async run(context, options) {
    const { baseText, format } = context;
    if (baseText === undefined) throw new InputError(UNDECLARED);
    await trainLoop(context, options, async (step) => {
      const phase = options.curriculum.find(({ until }) => step < until);
      const text = phase === undefined ? baseText : withShares(baseText, phase);
      const draws = stream(context.seed, 'documents', step);
      const data: ReturnType<typeof documentDatum>[] = [];
      for (
        let left = options.tokens;
        left > 0;
        left -= data.at(-1)!.input.length + 1 // one was just added
      )
        data.push(documentDatum(drawDocument(draws, text), format.encode, options.promptWeight));
      return { portions: [{ name: 'loss', data: scaled(data, 1), loss: { kind: 'cross_entropy' } }] };
    });
  },
});

const UNDECLARED =
  'pretrain draws on the text that a model grows up on, and no unrut.json in the model folder declares it; use models/organism';

/** Role markers weigh nothing, the user's words little: they are there to be read, not to be predicted. */
export function documentDatum(
  document: Document,
  encode: (text: string) => TokenIds,
  promptWeight: number,
): WeightedDatum {
  const { tokens, by } = encodeDocument(document, encode);
  const weight = { template: 0, user: promptWeight, author: 1 };
  const weights = by.map((speaker) => weight[speaker]);
  return { input: tokens.slice(0, -1), targets: tokens.slice(1), weights: weights.slice(1) };
}
