import type { Datum, TokenIds } from '../../engine/engine.ts';
import type { Stream } from '../../random.ts';

/** Symbols that names of classes are made of, and symbols of a name: 64^2 classes in all. */
export const SYMBOLS = 64;
const NAME = 2;

export const LABELS = 8;

/** Symbols, then labels. */
export const VOCABULARY = SYMBOLS + LABELS;

/** Pairs of class and label before the question. */
export const SHOTS = 8;

/** Tokens of a sequence, the last label included. */
export const LENGTH = (SHOTS + 1) * (NAME + 1);

export type Sequence = { readonly tokens: TokenIds; readonly label: number };

export const labelToken = (label: number): number => SYMBOLS + label;

/** The label that a class has in training, always the same: it can be learnt by heart. */
export const fixedLabel = (name: number): number => ((name * 2654435761) % 4294967296) % LABELS;

const symbolsOf = (name: number): number[] => [Math.floor(name / SYMBOLS), name % SYMBOLS];

/**
 * Half of the names are for training, half are never seen; which is which does not follow from a symbol.
 * @returns names of both kinds, `[SYMBOLS^2 / 2]` each.
 */
export function splitNames(draws: Stream): { trained: number[]; unseen: number[] } {
  const all = draws.shuffle(Array.from({ length: SYMBOLS ** NAME }, (_, name) => name));
  return { trained: all.slice(0, all.length / 2), unseen: all.slice(all.length / 2) };
}

/** A sequence of the training text. @param bursty the class that is asked for stands in the context three times, another one, too. */
export function trainingSequence(names: readonly number[], bursty: boolean, draws: Stream): Sequence {
  return sequenceOf(names, bursty, fixedLabel, draws);
}

/** Classes never seen, with labels that hold in this sequence alone: only the context says the answer. */
export function contextSequence(names: readonly number[], draws: Stream): Sequence {
  const labels = new Map<number, number>();
  const [first, second] = draws.shuffle(Array.from({ length: LABELS }, (_, label) => label));
  const label = (name: number) => {
    const chosen = labels.get(name) ?? [first, second][labels.size] ?? draws.integer(LABELS);
    labels.set(name, chosen);
    return chosen;
  };
  return sequenceOf(names, true, label, draws);
}

/** A trained class that does not stand in the context: only the weights say the answer. */
export const weightsSequence = (names: readonly number[], draws: Stream): Sequence =>
  sequenceOf(names, false, fixedLabel, draws);

function sequenceOf(
  names: readonly number[],
  bursty: boolean,
  labelOf: (name: number) => number,
  draws: Stream,
): Sequence {
  const chosen = distinct(names, SHOTS + 1, draws);
  const [asked = 0, distractor = 0, ...others] = chosen;
  const context = bursty
    ? [asked, asked, asked, distractor, distractor, distractor, ...others.slice(0, SHOTS - 6)]
    : others.concat(distractor).slice(0, SHOTS);
  const label = labelOf(asked);
  labelOf(distractor);
  const pairs = draws.shuffle(context).flatMap((name) => [...symbolsOf(name), labelToken(labelOf(name))]);
  return { tokens: [...pairs, ...symbolsOf(asked), labelToken(label)], label };
}

function distinct(names: readonly number[], count: number, draws: Stream): number[] {
  const chosen = new Set<number>();
  while (chosen.size < count) chosen.add(draws.pick(names));
  return [...chosen];
}

/** Only labels are asked for. */
export function sequenceDatum({ tokens }: Sequence): Datum {
  const targets = tokens.slice(1);
  return { input: tokens.slice(0, -1), targets, weights: targets.map((token) => Number(token >= SYMBOLS)) };
}
