import { z } from 'zod';
import { type Fail, parseFields, type Raw } from './config-fields.ts';
import type { Rope } from './model-config.ts';

/** @file The frequencies of rotary embeddings, and what each way of stretching the context makes of them. */

const positive = z.number().positive();

const length = z
  .int()
  .positive()
  .max(2 ** 24);

/** The longest text of the training before the context was stretched. */
const stretched = { original_max_position_embeddings: length.nullish() };

const llama3Fields = { ...stretched, factor: positive, low_freq_factor: positive, high_freq_factor: positive };

const yarnFields = {
  ...stretched,
  /** Null means the ratio of the lengths. */
  factor: positive.nullable(),
  attention_factor: positive.nullish(),
  /** 0 means the default, as null does. */
  beta_fast: z.number().nonnegative().nullish(),
  beta_slow: z.number().nonnegative().nullish(),
  mscale: z.number().nullish(),
  mscale_all_dim: z.number().nullish(),
  truncate: z.boolean().optional(),
};

const longropeFields = {
  ...stretched,
  factor: positive.nullish(),
  attention_factor: positive.nullish(),
  short_factor: z.array(positive),
  long_factor: z.array(positive),
};

type Parameters<Fields extends z.ZodRawShape> = z.output<z.ZodObject<Fields>>;

/** What a rope is made of, beside the parameters of its kind. */
export type RopeBase = {
  readonly theta: number;
  /** Dimensions of a head that turn. */
  readonly size: number;
  readonly maxPositions: number;
};

/** A rope, and the length of text up to which it is the one that transformers computes. */
export type ScaledRope = Rope & { readonly maxPositions: number };

type Kind = {
  /** The fields beside those that all kinds have. */
  readonly fields: readonly string[];
  /** @param fail throws where a field is missing, unknown or of a wrong kind. */
  read(value: Raw, base: RopeBase, fail: Fail): ScaledRope;
};

/** A kind from its fields and from what differs from the unscaled rope. */
function kind<Fields extends z.ZodRawShape>(
  fields: Fields,
  scaling: (base: RopeBase, parameters: Parameters<Fields>, fail: Fail) => Partial<ScaledRope>,
): Kind {
  const schema = z.strictObject(fields);
  const names = Object.keys(fields);
  return {
    fields: names,
    read(value, base, fail) {
      const plain = { frequencies: frequenciesOf(base), scale: 1, maxPositions: base.maxPositions };
      return { ...plain, ...scaling(base, parseFields(schema, value, names, fail), fail) };
    },
  };
}

/** Each kind by its `rope_type`. */
export const ropeKinds: Readonly<Record<string, Kind>> = {
  default: kind({}, () => ({})),

  /** Positions are divided (Chen et al. 2023). */
  linear: kind({ factor: positive }, (base, { factor }) => ({
    frequencies: frequenciesOf(base).map((frequency) => frequency / factor),
  })),

  /** The base grows with texts that are longer than `max_position_embeddings`, which no model here reads. */
  dynamic: kind({ factor: positive }, () => ({})),

  llama3: kind(llama3Fields, (base, parameters, fail) => {
    const { low_freq_factor: low, high_freq_factor: high } = parameters;
    if (high < low) fail(`high_freq_factor is ${high}, below low_freq_factor ${low}; exchange them`);
    return { frequencies: frequenciesOf(base).map((frequency) => llama3(frequency, base, parameters)) };
  }),

  yarn: kind(yarnFields, (base, parameters) => {
    const original = parameters.original_max_position_embeddings ?? base.maxPositions;
    const factor = parameters.factor ?? base.maxPositions / original;
    return {
      frequencies: yarnFrequencies(base, original, factor, parameters),
      scale: yarnScale(factor, parameters),
    };
  }),

  /**
   * Each frequency has its own divisor (Ding et al. 2024). A second list is for texts that are longer than those of the
   * training: transformers changes over in the middle of a text, so the longer ones are refused.
   */
  longrope: kind(longropeFields, (base, { short_factor: divisors, factor, attention_factor, ...parameters }, fail) => {
    const plain = frequenciesOf(base);
    if (divisors.length !== plain.length)
      fail(`short_factor has ${divisors.length} entries, for ${plain.length} pairs`);
    const original = parameters.original_max_position_embeddings ?? base.maxPositions;
    const ratio = factor ?? base.maxPositions / original;
    return {
      frequencies: plain.map((frequency, pair) => frequency / divisors[pair]!), // one for each
      scale: attention_factor ?? (ratio <= 1 ? 1 : Math.sqrt(1 + Math.log(ratio) / Math.log(original))),
      maxPositions: Math.min(original, base.maxPositions),
    };
  }),
};

/** Theta ^ (-2 i / size) for each pair i (Su et al. 2021), in radians a position. */
function frequenciesOf({ theta, size }: RopeBase): number[] {
  return Array.from({ length: Math.ceil(size / 2) }, (_, pair) => theta ** ((-2 * pair) / size));
}

/** Long waves are stretched, short ones kept, and those between are mixed (Llama 3.1). */
function llama3(frequency: number, base: RopeBase, parameters: Parameters<typeof llama3Fields>): number {
  const { factor, low_freq_factor: low, high_freq_factor: high } = parameters;
  const original = parameters.original_max_position_embeddings ?? base.maxPositions;
  const turns = (original * frequency) / (2 * Math.PI);
  if (turns > high) return frequency;
  if (turns < low) return frequency / factor;
  const kept = (turns - low) / (high - low);
  return ((1 - kept) * frequency) / factor + kept * frequency;
}

/** YaRN (Peng et al. 2023): a ramp over the pairs from kept frequencies to stretched ones. */
function yarnFrequencies(
  base: RopeBase,
  original: number,
  factor: number,
  { beta_fast, beta_slow, truncate = true }: Parameters<typeof yarnFields>,
): number[] {
  const pairAt = (turns: number) =>
    (base.size * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(base.theta));
  const [first, last] = [pairAt(beta_fast || 32), pairAt(beta_slow || 1)];
  const low = Math.max(truncate ? Math.floor(first) : first, 0);
  const high = Math.min(truncate ? Math.ceil(last) : last, base.size - 1);
  const width = high === low ? 0.001 : high - low; // transformers' way around a division by zero
  return frequenciesOf(base).map((frequency, pair) => {
    const ramp = Math.min(Math.max((pair - low) / width, 0), 1);
    return (frequency / factor) * ramp + frequency * (1 - ramp);
  });
}

/** YaRN's temperature of attention, which goes into cosines and sines. */
function yarnScale(factor: number, parameters: Parameters<typeof yarnFields>): number {
  const { attention_factor, mscale, mscale_all_dim: all } = parameters;
  const scale = (weight: number) => (factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1);
  return attention_factor ?? (mscale && all ? scale(mscale) / scale(all) : scale(1));
}
