import { InputError } from '../errors.ts';
import { stream } from '../random.ts';
import { type ProblemFamily, RIGHT } from './problem-family.ts';

/** @file Worked demonstrations in front of every problem, for models that do not solve the problems without. */

/** A file of one's own may hold few. */
const MOST_TRIES = 1000;

/** No prompt gets longer than this many demonstrations make it. */
export const MOST_SHOTS = 8;

/**
 * The family with `count` problems of its training side, worked rightly, in front of every prompt. They are the same for
 * all problems and on both sides of a pair, so that no difference is made by them.
 * @throws InputError where the family has no training side to take them from.
 */
export function withShots<Problem>(family: ProblemFamily<Problem>, count: number): ProblemFamily<Problem> {
  const shown = demonstrations(family, count);
  const behind = ([first = '', ...rest]: readonly string[]): string[] => [shown + first, ...rest];
  const { override } = family;
  return {
    ...family,
    shots: count,
    prompt: (problem) => shown + family.prompt(problem),
    shards(problem, draws) {
      const { turns, joined } = family.shards(problem, draws);
      return { turns: behind(turns), joined: shown + joined };
    },
    ...(override && {
      override(problem, draws) {
        const told = override(problem, draws);
        return { ...told, turns: behind(told.turns) };
      },
    }),
  };
}

function demonstrations<Problem>(family: ProblemFamily<Problem>, count: number): string {
  const draws = stream(0, 'demonstrations', family.name);
  const { drawTraining } = family;
  if (drawTraining === undefined || family.challenges === undefined) {
    throw new InputError(`--shots ${count}: ${family.name} has no worked problems to show`);
  }
  const examples = new Map<string, string>();
  for (let tries = 0; examples.size < count; tries++) {
    if (tries > MOST_TRIES)
      throw new InputError(`--shots ${count}: ${family.name} has only ${examples.size} problems to show`);
    const problem = drawTraining(draws);
    const reply = family.reply(family.work(problem, () => RIGHT, draws));
    examples.set(
      family.id(problem),
      `Example ${examples.size + 1}\n\n${family.prompt(problem)}\n\n${reply.trim()}\n\n`,
    );
  }
  return `${[...examples.values()].join('')}Now it is your turn.\n\n`;
}
