import type { Datum, Loss, SoftTargets, TokenIds } from '../../engine/engine.ts';
import type { Chunk, WireDatum } from '../wire/forward-backward.ts';
import { dense, type Tensor } from '../wire/tensor.ts';
import { quoted, Refusal } from './refusal.ts';

/** @file Losses and data as the wire has them, and as the engine does. */

type LossRule = {
  /** Per-token inputs beside `target_tokens`. */
  readonly inputs: readonly ('weights' | 'logprobs' | 'advantages')[];
  /** Options and what they are where they are left out. */
  readonly options: Readonly<Record<string, number>>;
  make(option: (name: string) => number): Loss;
};

const clip = (low: number, high: number) => ({ clip_low_threshold: low, clip_high_threshold: high });
const clipped = (option: (name: string) => number) => {
  return { low: option('clip_low_threshold'), high: option('clip_high_threshold') };
};

const ofSamples = ['logprobs', 'advantages'] as const;

const LOSSES: Readonly<Record<string, LossRule>> = {
  cross_entropy: { inputs: ['weights'], options: {}, make: () => ({ kind: 'cross_entropy' }) },
  importance_sampling: { inputs: ofSamples, options: {}, make: () => ({ kind: 'importance_sampling' }) },
  ppo: { inputs: ofSamples, options: clip(0.8, 1.2), make: (option) => ({ kind: 'ppo', ...clipped(option) }) },
  cispo: { inputs: ofSamples, options: clip(0, 4), make: (option) => ({ kind: 'cispo', ...clipped(option) }) },
  dro: { inputs: ofSamples, options: { beta: 0.05 }, make: (option) => ({ kind: 'dro', beta: option('beta') }) },
};

/** @throws Refusal naming the loss or the option that there is not. */
export function readLoss(name: string, config: Readonly<Record<string, number | string>>): Loss {
  const rule = Object.hasOwn(LOSSES, name) ? LOSSES[name]! : refuseLoss(name);
  for (const [option, value] of Object.entries(config)) {
    if (!Object.hasOwn(rule.options, option)) throw new Refusal(unknownOption(name, rule, option));
    if (!Number.isFinite(value)) throw new Refusal(`loss_fn_config ${option}: ${quoted(String(value))} is no number`);
  }
  return rule.make((option) => (config[option] as number | undefined) ?? rule.options[option]!); // checked above
}

function refuseLoss(name: string): never {
  const known = Object.keys(LOSSES).join(', ');
  throw new Refusal(`loss_fn ${quoted(name)} is not supported by this server; use one of ${known}`);
}

function unknownOption(name: string, { options }: LossRule, option: string): string {
  const known = Object.keys(options).join(', ') || 'no options';
  return `loss_fn_config ${quoted(option)} is unknown; ${name} has ${known}`;
}

/** @throws Refusal naming datum and field. */
export function readData(data: readonly WireDatum[], { kind }: Loss): Datum[] {
  return data.map((datum, index) => readDatum(datum, `datum ${index}`, kind));
}

function readDatum({ input, lossInputs }: WireDatum, datum: string, kind: Loss['kind']): Datum {
  const { inputs } = LOSSES[kind]!; // the names are the same
  const known: readonly string[] = ['target_tokens', ...inputs];
  const stranger = Object.keys(lossInputs).find((name) => !known.includes(name));
  if (stranger !== undefined) {
    throw new Refusal(`${datum}: ${quoted(stranger)} is not read by ${kind}, which has ${known.join(', ')}`);
  }
  const targets = lossInputs.target_tokens;
  if (targets === undefined) throw new Refusal(`${datum}: target_tokens is missing`);
  const tokens = readInput(input, datum);
  if (targets.shape.length > 1) return { input: tokens, targets: readSoftTargets(lossInputs, datum, kind) };
  const streams = inputs.flatMap((name) => {
    const given = lossInputs[name];
    return given === undefined ? [] : [[name, numbers(given, `${datum}: ${name}`)] as const];
  });
  return { input: tokens, targets: numbers(targets, `${datum}: target_tokens`), ...Object.fromEntries(streams) };
}

/** `[time, k]` targets, and how much each counts. */
function readSoftTargets(lossInputs: WireDatum['lossInputs'], datum: string, kind: Loss['kind']): SoftTargets {
  const { target_tokens, weights } = lossInputs;
  if (kind !== 'cross_entropy') throw new Refusal(`${datum}: target_tokens of two dimensions need cross_entropy`);
  if (weights === undefined || weights.shape.join() !== target_tokens!.shape.join()) {
    throw new Refusal(`${datum}: weights must have the shape of target_tokens, ${target_tokens!.shape.join(' x ')}`);
  }
  if (weights.shape.length !== 2) throw new Refusal(`${datum}: target_tokens has ${weights.shape.length} dimensions`);
  return {
    tokens: Int32Array.from(numbers(target_tokens!, `${datum}: target_tokens`)),
    probabilities: Float32Array.from(numbers(weights, `${datum}: weights`)),
    k: weights.shape[1]!,
  };
}

const numbers = (tensor: Tensor, field: string): number[] => Array.from(dense(tensor, field).values);

/** @throws Refusal for images and sound. */
export function readInput(input: readonly Chunk[], field: string): TokenIds {
  return input.flatMap((chunk) => {
    if (chunk.kind === 'text') return Array.from(chunk.tokens);
    throw new Refusal(`${field}: ${chunk.kind} in the input; this model reads text alone`);
  });
}
