import { z } from 'zod';
import type { Fail } from '../config-fields.ts';
import { type CommonFields, slidingLayers, windowOf } from '../config-json.ts';

/** The fields that say which layers of a Qwen see a window only, with transformers' defaults. */
export const qwenFields = {
  use_sliding_window: z.boolean().default(false),
  sliding_window: z.int().positive().nullish().default(4096),
  max_window_layers: z.int().nonnegative().default(28),
};

type QwenFields = CommonFields & z.output<z.ZodObject<typeof qwenFields>>;

export function qwenSights(raw: QwenFields, fail: Fail) {
  const given = raw.use_sliding_window ? raw.sliding_window : null;
  const sliding = slidingLayers(raw, given, (layer) => given !== null && layer >= raw.max_window_layers, fail);
  return sliding.map((slides) => ({ rope: 0, window: slides ? windowOf(raw, given) : undefined }));
}
