import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { type Fail, parseFields, type Raw } from './config-fields.ts';
import { ropeKinds, type ScaledRope } from './rope-scaling.ts';

/** @file Where `config.json` describes rotary embeddings. */

const description = z.record(z.string(), z.unknown()).nullish();

export const ropeFields = {
  /** Written by transformers 5. */
  rope_parameters: description,
  /** Written by older versions, beside the others. */
  rope_scaling: description,
  rope_theta: z.number().positive().nullish(),
  partial_rotary_factor: z.number().positive().max(1).nullish(),
  original_max_position_embeddings: z
    .int()
    .positive()
    .max(2 ** 24)
    .nullish(),
};

export type RopeFields = z.output<z.ZodObject<typeof ropeFields>>;

/** What a rope depends on besides its description. */
export type RopeModel = {
  readonly headSize: number;
  readonly maxPositions: number;
  readonly defaultTheta: number;
  /** The rope types that the family supports; absent means all. */
  readonly types?: readonly string[];
  /** Whether the family reads `partial_rotary_factor`. */
  readonly partial?: boolean;
};

/** Reads the rope of a model whose layers share one. @param fail throws, also where two fields disagree. */
export function readRope(raw: RopeFields, model: RopeModel, fail: Fail): ScaledRope {
  const newer = described(raw.rope_parameters, raw, 'rope_parameters', fail);
  const older = described(raw.rope_scaling, raw, 'rope_scaling', fail);
  if (newer !== undefined && older !== undefined && !isDeepStrictEqual(newer, older)) {
    fail(`rope_parameters and rope_scaling disagree: ${JSON.stringify(newer)} and ${JSON.stringify(older)}; keep one`);
  }
  if (newer !== undefined) return ropeOf(newer, model, within('rope_parameters', fail));
  if (older !== undefined) return ropeOf(older, model, within('rope_scaling', fail));
  return ropeOf(filled({}, raw, 'rope_parameters', fail), model, fail);
}

/** `rope_parameters` of a family whose sliding layers have a rope of their own. */
export const ropesByLayer = {
  rope_parameters: z.strictObject({ full_attention: description, sliding_attention: description }).nullish(),
};

/**
 * Reads the rope of the full-attention layers and that of the sliding ones, in this order. Fields outside the description
 * belong to the full-attention layers.
 * @param sliding what differs for the sliding layers; `theta` is the value of a field of their own.
 */
export function readRopes(
  raw: RopeFields & z.output<z.ZodObject<typeof ropesByLayer>>,
  whole: RopeModel,
  sliding: Partial<RopeModel> & { readonly theta?: number | null | undefined },
  fail: Fail,
): readonly ScaledRope[] {
  const { full_attention, sliding_attention } = raw.rope_parameters ?? {};
  const { theta: rope_theta, ...model } = sliding;
  return [
    readRope({ ...raw, rope_parameters: full_attention }, whole, fail),
    readRope({ rope_parameters: sliding_attention, rope_theta }, { ...whole, ...model }, fail),
  ];
}

/** A description, completed by the fields outside it; undefined where it is absent or empty. */
function described(given: Raw | null | undefined, outside: RopeFields, where: string, fail: Fail): Raw | undefined {
  if (given === undefined || given === null || Object.keys(given).length === 0) return undefined;
  return filled(given, outside, where, fail);
}

/** Older files say `type`. */
function filled(given: Raw, outside: RopeFields, where: string, fail: Fail): Raw {
  const { type, rope_type = type ?? 'default', ...parameters } = given;
  if (type !== undefined && type !== rope_type) fail(`${where} names two types: ${rope_type} and ${type}; keep one`);
  const beside = Object.entries(outside).filter(([field]) => isBeside(field, rope_type));
  const once = beside.map(([field, value]) => saidOnce(field, parameters[field], value, fail));
  return Object.assign({ ...parameters, rope_type }, ...once);
}

/** Whether a field outside the description belongs to its rope. */
function isBeside(field: string, type: unknown): boolean {
  if (field === 'rope_theta' || field === 'partial_rotary_factor') return true;
  return field === 'original_max_position_embeddings' && kindOf(type)?.fields.includes(field) === true;
}

const kindOf = (type: unknown) =>
  typeof type === 'string' && Object.hasOwn(ropeKinds, type) ? ropeKinds[type] : undefined;

/** A field that may be given inside and outside the description, with one value. */
function saidOnce(field: string, inside: unknown, outside: unknown, fail: Fail): Raw {
  const [first, second] = [inside ?? undefined, outside ?? undefined];
  if (first !== undefined && second !== undefined && first !== second) {
    fail(`${field} is given twice: ${first} and ${second}; keep one`);
  }
  const value = first ?? second;
  return value === undefined ? {} : { [field]: value };
}

const everyFields = z.looseObject({
  rope_theta: z.number().positive().nullish(),
  partial_rotary_factor: z.number().positive().max(1).nullish(),
});

const within =
  (where: string, fail: Fail): Fail =>
  (message) =>
    fail(`${where}.${message}`);

/** The rope of one description. */
function ropeOf(given: Raw, model: RopeModel, fail: Fail): ScaledRope {
  const { rope_type: type, rope_theta, partial_rotary_factor, ...own } = given;
  const kind = kindOf(type);
  const types = model.types ?? Object.keys(ropeKinds);
  if (kind === undefined || !types.includes(String(type))) {
    return fail(`rope_type is ${JSON.stringify(type)}; supported is ${types.map((one) => `"${one}"`).join(', ')}`);
  }
  const every = parseFields(everyFields, { rope_theta, partial_rotary_factor }, [], fail);
  const part = every.partial_rotary_factor ?? 1;
  if (part !== 1 && model.partial !== true) fail(`partial_rotary_factor is ${part}; supported is 1`);
  const theta = every.rope_theta ?? model.defaultTheta;
  const base = { theta, size: Math.floor(model.headSize * part), maxPositions: model.maxPositions };
  return kind.read(own, base, fail);
}
