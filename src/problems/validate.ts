import { isDeepStrictEqual } from 'node:util';
import { type Stream, stream } from '../random.ts';
import { isHeldOut } from './held-out.ts';
import { inWords, type Manner, outcomeOf, type ProblemFamily, RIGHT, type WorkedStep } from './problem-family.ts';
import { replyCases } from './replies.ts';

/** One claim about a family, put to the test on many problems. */
export type Check = {
  readonly name: string;
  readonly tried: number;
  readonly failed: number;
  /** The first failure, in words. */
  readonly example?: string;
};

export type Validation = { readonly family: string; readonly problems: number; readonly checks: readonly Check[] };

/**
 * Grades a family's own work without any model: right solutions are right; each slip is wrong where it was made and only
 * there (locally); each misconception is wrong from its first step on and in the end; and replies in other clothes, with
 * several answers, or with none are read as what they are.
 */
export function validate<Problem>(family: ProblemFamily<Problem>, problems: number, seed: number): Validation {
  const tally = new Tally();
  const draws = stream(seed, 'validate', family.name);
  const known = new Map<string, string>();
  const count = Math.min(problems, family.size ?? problems);
  for (let index = 0; index < count; index++) {
    const problem = family.drawTest(draws);
    checkIdentity(family, problem, known, tally);
    const right = family.work(problem, () => RIGHT, draws);
    checkSolution(family, problem, right, tally);
    checkShards(family, problem, draws, tally);
    for (const what of family.slips) checkSlip(family, problem, what, draws, tally);
    checkSlips(family, problem, draws, tally);
    for (const name of family.misconceptions) checkMisconception(family, problem, name, draws, tally);
    if (inWords(family)) checkReplies(family, problem, right, draws, tally);
  }
  return { family: family.name, problems: count, checks: tally.checks() };
}

/** Counts failures by name, and keeps the first of each. */
class Tally {
  readonly #checks = new Map<string, { tried: number; failed: number; example?: string }>();

  note(name: string, holds: boolean, example: () => string): void {
    const check = this.#checks.get(name) ?? { tried: 0, failed: 0 };
    this.#checks.set(name, check);
    check.tried++;
    if (holds) return;
    check.failed++;
    check.example ??= example();
  }

  checks(): Check[] {
    return Array.from(this.#checks, ([name, check]) => ({ name, ...check }));
  }
}

type Family<Problem> = ProblemFamily<Problem>;

function checkIdentity<Problem>(
  family: Family<Problem>,
  problem: Problem,
  known: Map<string, string>,
  tally: Tally,
): void {
  const id = family.id(problem);
  const before = known.get(id) ?? family.prompt(problem);
  known.set(id, before);
  tally.note('one id, one problem', before === family.prompt(problem), () => id);
  const trains = family.drawTraining !== undefined; // only then is there a side to be held out from
  if (trains && family.size === undefined) tally.note('test problems are held out', isHeldOut(id), () => id);
}

function checkSolution<Problem>(
  family: Family<Problem>,
  problem: Problem,
  right: readonly WorkedStep[],
  tally: Tally,
): void {
  const reply = family.reply(right);
  const reading = family.read(problem, reply);
  const holds = reading.answerRight && right.every((step) => step.right && step.locallyRight);
  tally.note('the solution is right', holds, () => reply);
  tally.note('the solution is read as written', isDeepStrictEqual(reading.steps, right), () => reply);
  const waved = family.read(problem, family.wavedThrough(right));
  const marked = waved.marks.length === right.length && waved.marks.every((mark) => mark === 'right');
  tally.note('marks are read', marked && waved.answerRight, () => family.wavedThrough(right));
}

/** A slip at a random place: the first wrong step, and the only one that is wrong given what stands before it. */
function checkSlip<Problem>(
  family: Family<Problem>,
  problem: Problem,
  what: string,
  draws: Stream,
  tally: Tally,
): void {
  const position = draws.integer(family.length(problem));
  const manner = (at: number): Manner => (at === position ? { kind: 'slip', what } : RIGHT);
  const { steps } = family.read(problem, family.reply(family.work(problem, manner, draws)));
  const only = steps.every((step, at) => step.locallyRight === (at !== position));
  tally.note(`slip "${what}" is wrong where it is`, only && firstWrong(steps) === position, () =>
    [family.prompt(problem), `slip at ${position + 1}`, ...steps.map(({ text }) => text)].join('\n'),
  );
}

/** What a history of errors takes: a slip of some kind at every step, each of them wrong given what stands before it. */
function checkSlips<Problem>(family: Family<Problem>, problem: Problem, draws: Stream, tally: Tally): void {
  const steps = family.work(problem, () => ({ kind: 'slip', what: draws.pick(family.slips) }), draws);
  tally.note(
    'a slip is possible at every step',
    steps.every((step) => !step.locallyRight),
    () => family.reply(steps),
  );
}

function checkMisconception<Problem>(
  family: Family<Problem>,
  problem: Problem,
  name: string,
  draws: Stream,
  tally: Tally,
): void {
  const reply = family.reply(family.work(problem, () => ({ kind: 'misconception', name }), draws));
  const reading = family.read(problem, reply);
  const everywhere = reading.steps.every((step) => !step.locallyRight) && firstWrong(reading.steps) === 0;
  tally.note(`misconception "${name}" is wrong at every step`, everywhere, () => reply);
  tally.note(`misconception "${name}" ends wrong`, outcomeOf(reading) === 'wrong', () => reply);
}

/** The same words in every delivery. */
function checkShards<Problem>(family: Family<Problem>, problem: Problem, draws: Stream, tally: Tally): void {
  const words = (text: string) => text.replaceAll(/[^a-z0-9|]/g, '');
  const { turns, joined, reworded } = family.shards(problem, draws);
  const told = reworded ? joined : family.prompt(problem);
  const same = [turns.join(''), joined].every((text) => words(text) === words(told));
  tally.note('shards say the same', same, () => joined);
}

function checkReplies<Problem>(
  family: Family<Problem>,
  problem: Problem,
  right: readonly WorkedStep[],
  draws: Stream,
  tally: Tally,
): void {
  const wrong = drawWrong(family, problem, draws);
  for (const { name, text, expected, ended, steps } of replyCases({ right, wrong })) {
    const reading = family.read(problem, text, ended);
    const outcome = outcomeOf(reading);
    tally.note(`reply, ${name}: ${expected}`, outcome === expected, () => `read as ${outcome}: ${text}`);
    if (steps) tally.note(`reply, ${name}: its steps`, sameJudgement(reading.steps, steps), () => text);
  }
}

/** Work that ends in a wrong answer: by a slip while one does, else by a misconception. */
function drawWrong<Problem>(family: Family<Problem>, problem: Problem, draws: Stream): readonly WorkedStep[] {
  for (let tries = 0; tries < 20; tries++) {
    const position = draws.integer(family.length(problem));
    const slip: Manner = { kind: 'slip', what: draws.pick(family.slips) };
    const steps = family.work(problem, (at) => (at === position ? slip : RIGHT), draws);
    if (outcomeOf(family.read(problem, family.reply(steps))) === 'wrong') return steps;
  }
  return family.work(problem, () => ({ kind: 'misconception', name: draws.pick(family.misconceptions) }), draws);
}

const firstWrong = (steps: readonly WorkedStep[]): number => steps.findIndex((step) => !step.right);

/** However they are written. */
function sameJudgement(a: readonly WorkedStep[], b: readonly WorkedStep[]): boolean {
  const verdicts = (steps: readonly WorkedStep[]) => steps.map(({ right, locallyRight }) => [right, locallyRight]);
  return isDeepStrictEqual(verdicts(a), verdicts(b));
}
