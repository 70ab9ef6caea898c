import { type Manner, type ProblemFamily, RIGHT, type WorkedStep } from '../problems/problem-family.ts';
import type { Stream } from '../random.ts';

/** One slip of the given kind (any kind where none is named) at one position, the rest right given what stands. */
export function oneSlip(family: SlipKinds, position: number, draws: Stream, what?: string): (at: number) => Manner {
  const slip: Manner = { kind: 'slip', what: what ?? draws.pick(family.slips) };
  return (at) => (at === position ? slip : RIGHT);
}

/** A slip at every position, or at this share of them, each of a kind of its own: all alike, or by these shares. */
export function slips(
  family: SlipKinds,
  draws: Stream,
  rate = 1,
  shares?: Readonly<Record<string, number>>,
): (at: number) => Manner {
  const slip = (): Manner => ({ kind: 'slip', what: shares ? draws.weighted(shares) : draws.pick(family.slips) });
  return () => (rate === 1 || draws.chance(rate) ? slip() : RIGHT);
}

/** The same wrong rule at every position, or over a run of them. */
export function habit(family: SlipKinds, draws: Stream, run?: { from: number; to: number }): (at: number) => Manner {
  const manner: Manner = { kind: 'misconception', name: draws.pick(family.misconceptions) };
  return (at) => (run === undefined || (run.from <= at && at < run.to) ? manner : RIGHT);
}

export type SlipKinds = Pick<ProblemFamily<unknown>, 'slips' | 'misconceptions'>;

/** A whole worked answer that is wrong in the end: half of them by one slip, half by a habit. */
export function wrongWork<Problem>(
  family: ProblemFamily<Problem>,
  problem: Problem,
  draws: Stream,
): readonly WorkedStep[] {
  const length = family.length(problem);
  for (;;) {
    const slip = draws.chance(0.5) || family.misconceptions.length === 0;
    const manner = slip ? oneSlip(family, draws.integer(length), draws) : habit(family, draws);
    const steps = family.work(problem, manner, draws);
    if (!family.read(problem, family.reply(steps)).answerRight) return steps;
  }
}

/** The worked answer without a wrong turn. */
export function rightWork<Problem>(
  family: ProblemFamily<Problem>,
  problem: Problem,
  draws: Stream,
  count?: number,
): readonly WorkedStep[] {
  return family.work(problem, () => RIGHT, draws, count);
}

/** The answer of the worked solution, in the verifier's spelling. */
export function rightAnswer<Problem>(family: ProblemFamily<Problem>, problem: Problem, draws: Stream): string {
  return family.read(problem, family.reply(rightWork(family, problem, draws))).answer!; // a family reads its own work
}

/** A wrong answer that is none of these; undefined where a few dozen attempts come to no other. */
export function wrongAnswer<Problem>(
  family: ProblemFamily<Problem>,
  problem: Problem,
  draws: Stream,
  except: readonly string[] = [],
): string | undefined {
  for (let tries = 0; tries < 50; tries++) {
    const { answer } = family.read(problem, family.reply(wrongWork(family, problem, draws)));
    if (answer !== undefined && !except.includes(answer)) return answer;
  }
  return undefined;
}
