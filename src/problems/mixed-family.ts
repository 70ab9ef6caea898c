import { InputError } from '../errors.ts';
import type { Stream } from '../random.ts';
import { phrasings } from './phrasings.ts';
import type { Manner, ProblemFamily, WorkedStep } from './problem-family.ts';

/** A family of a mixture and how often its problems are drawn. */
export type MixedPart = { readonly family: ProblemFamily<unknown>; readonly share: number };

/** A problem, and which of the families it is of. */
type MixedProblem = { readonly of: number; readonly problem: unknown };

/** Kinds of wrong work that every family has in its own way. */
const ANY_SLIP = 'any slip';
const ANY_HABIT = 'any habit';

/**
 * Several families as one: each problem is worked, read and told by its own. Wrong turns are of kinds that all have, a
 * slip or a habit, of which each family takes one of its own.
 * @throws InputError where the families do not go together.
 */
export function mixedFamily(parts: readonly MixedPart[]): ProblemFamily<MixedProblem> {
  const families = parts.map(({ family }) => family);
  for (const { name, challenges } of families) {
    if (challenges === undefined)
      throw new InputError(`family ${name}: is not in words; it cannot be mixed with others`);
  }
  const own = ({ of }: MixedProblem) => families[of]!; // of the problems drawn below
  const all = (has: (family: ProblemFamily<unknown>) => unknown) => families.every(has);
  const writers = new Writers();
  const training = all(({ drawTraining }) => drawTraining);
  return {
    name: families.map(({ name }) => name).join('+'),
    slips: all(({ slips }) => slips.length > 0) ? [ANY_SLIP] : [],
    misconceptions: all(({ misconceptions }) => misconceptions.length > 0) ? [ANY_HABIT] : [],
    ...phrasings('<your answer>'),
    ...(all(({ checking }) => checking) ? { checking: families[0]!.checking } : {}), // there are families
    replyTokens: Math.max(...families.map(({ replyTokens }) => replyTokens)),
    drawTest: (draws) => draw(parts, draws, (family) => family.drawTest(draws)),
    ...(training && { drawTraining: (draws: Stream) => draw(parts, draws, (family) => family.drawTraining?.(draws)) }),
    id: (mixed) => own(mixed).id(mixed.problem),
    prompt: (mixed) => own(mixed).prompt(mixed.problem),
    length: (mixed) => own(mixed).length(mixed.problem),
    work(mixed, manner, draws, count) {
      const family = own(mixed);
      return writers.keep(family, family.work(mixed.problem, ownManner(family, manner, draws), draws, count));
    },
    reply: (steps) => writers.of(steps).reply(steps),
    wavedThrough: (steps) => writers.of(steps).wavedThrough(steps),
    read(mixed, text, ended) {
      const reading = own(mixed).read(mixed.problem, text, ended);
      writers.keep(own(mixed), reading.steps);
      return reading;
    },
    shards: (mixed, draws) => own(mixed).shards(mixed.problem, draws),
    rework: (mixed, said, fresh) =>
      own(mixed).rework?.(mixed.problem, said, fresh) ?? [{ text: own(mixed).reply(fresh) }],
    ...(all(({ check }) => check) && {
      check: (mixed: MixedProblem, written: readonly WorkedStep[], fresh: readonly WorkedStep[]) =>
        own(mixed).check?.(mixed.problem, written, fresh) ?? [],
    }),
  };
}

function draw<Problem>(
  parts: readonly MixedPart[],
  draws: Stream,
  problemOf: (family: ProblemFamily<unknown>) => Problem,
): MixedProblem {
  const shares = Object.fromEntries(parts.map(({ share }, index) => [String(index), share]));
  const of = Number(draws.weighted(shares));
  return { of, problem: problemOf(parts[of]!.family) }; // one of them
}

/** A slip or a habit of the family's own; one habit for the whole work. */
function ownManner(
  family: ProblemFamily<unknown>,
  manner: (position: number) => Manner,
  draws: Stream,
): (position: number) => Manner {
  let habit: string | undefined;
  return (position) => {
    const { kind } = manner(position);
    if (kind === 'slip') return { kind, what: draws.pick(family.slips) };
    if (kind === 'right') return { kind };
    habit ??= draws.pick(family.misconceptions);
    return { kind, name: habit };
  };
}

/** Which family wrote a step: finished replies are asked for without their problem. */
class Writers {
  readonly #byStep = new WeakMap<WorkedStep, ProblemFamily<unknown>>();

  keep(family: ProblemFamily<unknown>, steps: readonly WorkedStep[]): readonly WorkedStep[] {
    for (const step of steps) this.#byStep.set(step, family);
    return steps;
  }

  of(steps: readonly WorkedStep[]): ProblemFamily<unknown> {
    const family = steps.map((step) => this.#byStep.get(step)).find((one) => one !== undefined);
    if (family === undefined) throw new InputError('these steps were written by none of the mixed families');
    return family;
  }
}
