import type { Reply } from '../conversation/chat-model.ts';
import { spoken } from '../problems/plain-text.ts';
import { inWords, outcomeOf, type ProblemFamily, type WorkedStep } from '../problems/problem-family.ts';
import { rightWork, wrongWork } from '../wrong-turns/wrong-work.ts';
import { type Bench, drawsFor } from './bench.ts';
import { harvest } from './own-errors.ts';

/** A wrong answer to a problem, worked out: the model's own where it erred, else one that was made for it. */
export type WrongAnswer = {
  readonly said: string;
  readonly steps: readonly WorkedStep[];
  readonly by: 'own' | 'injected';
};

/**
 * A wrong answer for every problem, in their order. Injected errors are off the model's own ways, own ones are not, so a
 * family in words takes what the model sampled itself where it errs.
 */
export async function wrongAnswers<Problem>(bench: Bench<Problem>): Promise<WrongAnswer[]> {
  const { family, problems } = bench;
  const own = inWords(family) ? await ownAnswers(bench) : new Map<string, WrongAnswer>();
  return problems.map((problem) => own.get(family.id(problem)) ?? injectedAnswer(bench, problem));
}

/** A wrong answer that is made: by a slip or by a habit. */
export function injectedAnswer<Problem>(bench: Bench<Problem>, problem: Problem): WrongAnswer {
  const steps = wrongWork(bench.family, problem, drawsFor(bench, problem, 'wrong answer'));
  return { said: bench.family.reply(steps), steps, by: 'injected' };
}

/** By problem. */
async function ownAnswers<Problem>(bench: Bench<Problem>): Promise<ReadonlyMap<string, WrongAnswer>> {
  const found = await harvest(bench, (problem, reply) => {
    const answer = ownAnswer(bench, problem, reply);
    return answer && ([bench.family.id(problem), answer] as const);
  });
  return new Map(found);
}

function ownAnswer<Problem>(bench: Bench<Problem>, problem: Problem, { text, stopReason }: Reply) {
  const { family } = bench;
  const said = spoken(text).trim();
  const reading = family.read(problem, said, stopReason);
  const right = rightWork(family, problem, drawsFor(bench, problem, 'right answer'));
  const usable = outcomeOf(reading) === 'wrong' && goesWrongAtAStep(family, problem, reading.steps, right);
  return usable ? ({ said, steps: reading.steps, by: 'own' } as const) : undefined;
}

/** All steps are there and one of them is the first wrong one, the right steps before it being those of `right`. */
function goesWrongAtAStep<Problem>(
  family: ProblemFamily<Problem>,
  problem: Problem,
  steps: readonly WorkedStep[],
  right: readonly WorkedStep[],
): boolean {
  const first = steps.findIndex((step) => !step.right);
  const before = steps.slice(0, Math.max(0, first));
  const sameWay = before.every((step, at) => step.concludes === right[at]!.concludes);
  return first >= 0 && steps.length === family.length(problem) && sameWay;
}
