import { type Datum, defineStage, optimiserOptions, stream, trainLoop } from 'unrut';
import { z } from 'zod';

/** Plain supervised fine-tuning on texts of one's own, written out in the recipe. */
export const recite = defineStage({
  name: 'recite',
  summary: 'learns the given texts by heart',
  options: z.strictObject({
    ...optimiserOptions,
    texts: z.array(z.string().min(2)).min(1),
    batch: z.int().positive().default(8),
  }),
  cost: ({ steps, batch, texts }) => ({
    steps,
    trainedTokens: (steps * batch * texts.join('').length) / texts.length,
    sampledTokens: 0,
  }),
  run: (context, options) =>
    trainLoop(context, options, async (step) => {
      const draws = stream(context.seed, 'texts', step); // by seed and step: a resumed run draws the same
      const data = Array.from({ length: options.batch }, (): Datum => {
        const tokens = context.format.encode(draws.pick(options.texts));
        return { input: tokens.slice(0, -1), targets: tokens.slice(1) };
      });
      return { portions: [{ name: 'loss', data, loss: { kind: 'cross_entropy' } }] };
    }),
});
