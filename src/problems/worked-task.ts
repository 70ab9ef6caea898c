import { UnrutError } from '../errors.ts';
import { type Stream, stream } from '../random.ts';
import { answerLine, CHECKING, checkedWork } from './checked-work.ts';
import { finalAnswer } from './final-answer.ts';
import { isHeldOut } from './held-out.ts';
import { endWith, phrasings } from './phrasings.ts';
import { plainText, spoken } from './plain-text.ts';
import {
  type Amendment,
  type Manner,
  type ProblemFamily,
  type Reading,
  RIGHT,
  type WorkedStep,
  workInProgress,
} from './problem-family.ts';

/**
 * A task that is worked a line a step, for any chat model. This is what differs between the families in natural language;
 * what they share (numbering, judging, how replies are read, shards, challenges, the split) is {@link chatFamily}.
 */
export interface WorkedTask<Problem, Step> {
  readonly name: string;
  readonly slips: readonly string[];
  /** Each is wrong at every step of every problem drawn, and leads to a wrong answer: the generator sees to it. */
  readonly misconceptions: readonly string[];
  /** Longest reply in tokens, for models with many words. */
  readonly replyTokens: number;
  /** What is to be done and how a step is to be written. */
  readonly instruction: string;
  /** What the answer is to look like: `<number>`. */
  readonly answerForm: string;
  draw(draws: Stream): Problem;
  /** The problem in sentences, the question among them; two problems are the same when they read the same. */
  pieces(problem: Problem): readonly string[];
  length(problem: Problem): number;
  /** The next step, done in this manner from what stands before it, right or wrong. */
  next(problem: Problem, before: readonly Step[], manner: Manner, draws: Stream): Step;
  /** The line of a step, without its number. */
  line(problem: Problem, before: readonly Step[], step: Step): string;
  /** The step that a line of a reply states, as the `at`-th; undefined where it states none. */
  parse(problem: Problem, line: string, at: number): Step | undefined;
  /** What makes two steps the same. */
  key(step: Step): string;
  /** Where a step can be right in more than one way. By default it has to be the one that {@link next} does rightly. */
  judge?(problem: Problem, steps: readonly Step[], at: number): Pick<WorkedStep, 'right' | 'locallyRight'>;
  /** The answer after these steps, in the spelling of {@link answersIn}. */
  concludes(problem: Problem, steps: readonly Step[]): string;
  /** The answers that a statement names. */
  answersIn(problem: Problem, statement: string): readonly string[];
  /** Where more than one answer is right. By default it has to be what the right steps conclude. */
  solves?(problem: Problem, answer: string): boolean;
  amend?: ProblemFamily<Problem>['amend'];
  /** The problem in which these steps, wrong here, are right, and the same steps in it; undefined where there is none. */
  excuse?(problem: Problem, steps: readonly Step[]): { problem: Problem; steps: readonly Step[] } | undefined;
}

/** The family of problems of a task, as the wrong turns and the probes see it. */
export function chatFamily<Problem, Step>(task: WorkedTask<Problem, Step>): ProblemFamily<Problem> {
  const instruction = `${task.instruction} ${endWith(task.answerForm)}`;
  const prompt = (problem: Problem) => `${instruction}\n\n${task.pieces(problem).join('\n')}`;
  const family: ProblemFamily<Problem> = {
    name: task.name,
    slips: task.slips,
    misconceptions: task.misconceptions,
    ...phrasings(task.answerForm),
    checking: `${CHECKING}Check 1:`,
    replyTokens: task.replyTokens,
    drawTest: (draws) => drawOnSide(task, draws, true),
    drawTraining: (draws) => drawOnSide(task, draws, false),
    id: (problem) => idOf(task, problem),
    prompt,
    length: (problem) => task.length(problem),
    work: (problem, manner, draws, count = task.length(problem)) =>
      judged(task, problem, workSteps(task, problem, manner, draws, count)),
    reply: (steps) => written(steps) + answerLine(steps),
    ...checkedWork,
    wavedThrough: (steps) => {
      const checks = steps.map((_, at) => `Check ${at + 1}: right\n`).join('');
      return written(steps) + checks + answerLine(steps);
    },
    read: (problem, text, ended) => readReply(task, problem, text, ended),
    shards: (problem, draws) => {
      const groups = cutPieces(task.pieces(problem), draws);
      const turns = groups.map((group, index) => (index === 0 ? `${instruction}\n\n` : '') + group.join('\n'));
      return { turns, joined: `${instruction}\n\n${groups.flat().map((piece) => `- ${piece}`).join('\n')}` };
    },
  }; // biome-ignore format: one line a member
  const amend = task.amend?.bind(task);
  return {
    ...family,
    ...(task.excuse && { excuse: excusing(task) }),
    ...(amend && { amend, override: overriding(family, amend) }),
  };
}

function excusing<Problem, Step>(task: WorkedTask<Problem, Step>): NonNullable<ProblemFamily<Problem>['excuse']> {
  return (problem, written) => {
    const excused = task.excuse?.(problem, readLines(task, problem, workInProgress(written)).steps);
    return excused && { problem: excused.problem, written: judged(task, excused.problem, excused.steps) };
  };
}

const idOf = <Problem, Step>(task: WorkedTask<Problem, Step>, problem: Problem): string =>
  task.pieces(problem).join(' ');

const written = (steps: readonly WorkedStep[]): string => steps.map(({ text }) => text).join('');

/** Draws until the problem lies on this side of the split, and every misconception is wrong at each step and in the end. */
function drawOnSide<Problem, Step>(task: WorkedTask<Problem, Step>, draws: Stream, heldOut: boolean): Problem {
  for (let tries = 0; tries < 20_000; tries++) {
    const problem = task.draw(draws);
    if (isHeldOut(idOf(task, problem)) === heldOut && isTelling(task, problem)) return problem;
  }
  throw new UnrutError(`${task.name}: with these dials no problem was found that tells right from wrong; widen them`);
}

function isTelling<Problem, Step>(task: WorkedTask<Problem, Step>, problem: Problem): boolean {
  return task.misconceptions.every((name) => {
    const steps = workSteps(task, problem, () => ({ kind: 'misconception', name }), NO_DRAWS, task.length(problem));
    const everywhere = steps.every((_, at) => !isLocallyRight(task, problem, steps, at));
    return everywhere && !isSolution(task, problem, task.concludes(problem, steps));
  });
}

function workSteps<Problem, Step>(
  task: WorkedTask<Problem, Step>,
  problem: Problem,
  manner: (position: number) => Manner,
  draws: Stream,
  count: number,
): Step[] {
  const steps: Step[] = [];
  while (steps.length < count) steps.push(doStep(task, problem, steps, manner(steps.length), draws));
  return steps;
}

/** A slip is drawn until it is one: some offsets and swaps change nothing. */
function doStep<Problem, Step>(
  task: WorkedTask<Problem, Step>,
  problem: Problem,
  before: readonly Step[],
  manner: Manner,
  draws: Stream,
): Step {
  for (let tries = 0; tries < 200; tries++) {
    const step = task.next(problem, before, manner, draws);
    if (manner.kind !== 'slip' || !isLocallyRight(task, problem, [...before, step], before.length)) return step;
  }
  throw new UnrutError(`${task.name}: no slip "${manner.kind === 'slip' ? manner.what : ''}" is possible at a step`);
}

/** Judges each step twice, by the problem and by what stands before it, and says what would follow from it. */
function judged<Problem, Step>(
  task: WorkedTask<Problem, Step>,
  problem: Problem,
  steps: readonly Step[],
  texts?: readonly string[],
): WorkedStep[] {
  const truth = task.judge ? [] : solution(task, problem);
  return steps.map((step, at) => ({
    ...judgeStep(task, problem, steps, at, truth),
    ...textOf(task, problem, steps, at, texts?.[at] ?? stepLine(task, problem, steps.slice(0, at), step)),
    concludes: task.concludes(problem, steps.slice(0, at + 1)),
  }));
}

function stepLine<Problem, Step>(
  task: WorkedTask<Problem, Step>,
  problem: Problem,
  before: readonly Step[],
  step: Step,
): string {
  return `Step ${before.length + 1}: ${task.line(problem, before, step)}\n`;
}

/** With what would have been right in its place, where only one way is right and the text has another. */
function textOf<Problem, Step>(
  task: WorkedTask<Problem, Step>,
  problem: Problem,
  steps: readonly Step[],
  at: number,
  text: string,
): Pick<WorkedStep, 'text' | 'parts'> {
  if (task.judge || at >= task.length(problem) || isLocallyRight(task, problem, steps, at)) return { text };
  const before = steps.slice(0, at);
  return { text, parts: [{ text, instead: stepLine(task, problem, before, task.next(problem, before, RIGHT, NO_DRAWS)) }] };
} // biome-ignore format: one line a statement

function judgeStep<Problem, Step>(
  task: WorkedTask<Problem, Step>,
  problem: Problem,
  steps: readonly Step[],
  at: number,
  truth: readonly Step[],
): Pick<WorkedStep, 'right' | 'locallyRight'> {
  const step = steps[at]!;
  if (at >= task.length(problem)) return { right: false, locallyRight: false };
  if (task.judge) return task.judge(problem, steps, at);
  return { right: task.key(step) === task.key(truth[at]!), locallyRight: isLocallyRight(task, problem, steps, at) };
}

/** Right given what stands before it. */
function isLocallyRight<Problem, Step>(
  task: WorkedTask<Problem, Step>,
  problem: Problem,
  steps: readonly Step[],
  at: number,
): boolean {
  if (task.judge) return task.judge(problem, steps, at).locallyRight;
  return task.key(steps[at]!) === task.key(task.next(problem, steps.slice(0, at), RIGHT, NO_DRAWS));
}

/** What is done rightly, or by a habit, leaves nothing to chance. */
const NO_DRAWS = stream(0);

function solution<Problem, Step>(task: WorkedTask<Problem, Step>, problem: Problem): Step[] {
  return workSteps(task, problem, () => RIGHT, NO_DRAWS, task.length(problem));
}

function isSolution<Problem, Step>(task: WorkedTask<Problem, Step>, problem: Problem, answer: string): boolean {
  return task.solves?.(problem, answer) ?? answer === task.concludes(problem, solution(task, problem));
}

function readReply<Problem, Step>(
  task: WorkedTask<Problem, Step>,
  problem: Problem,
  text: string,
  ended?: 'stop' | 'length',
): Reading {
  const { steps, texts, marks, rest } = readLines(task, problem, text);
  const { answer, unreadable } = finalAnswer(rest, (statement) => task.answersIn(problem, statement), ended);
  const answerRight = answer !== undefined && isSolution(task, problem, answer);
  const reading = { steps: judged(task, problem, steps, texts), marks, answer, answerRight };
  return unreadable === undefined ? reading : { ...reading, unreadable };
}

const STEP = /^\W*(?:step\s*(\d+)|(\d+)[.)])\s*(?:[:.)-]|\s)\s*(.*)$/i;
const CHECK =
  /^\W*(?:check|step)\s*(\d+)\s*[:.)-]?\s*(?:is\s+|was\s+)?(right|correct|wrong|incorrect|✓|✔|✅|✗|✘|❌)(?=\s*(?:$|[.,;:!(-]))/iu;

/** A check that does the step afresh before its verdict. */
const DERIVED_CHECK =
  /^\W*check\s*(\d+)\s*[:.)-].*?\s(right|correct|wrong|incorrect|not right|not correct|✓|✔|✅|✗|✘|❌)\W*$/iu;

/** A step is a line; what is longer states none that anybody would read. */
const LONGEST_LINE = 2000;

/**
 * Takes a reply apart. A step keeps the model's own words; one whose number was there already takes the place of that
 * one and of all behind it, because the model has begun anew from there. `rest` is what an answer may be read from.
 */
function readLines<Problem, Step>(task: WorkedTask<Problem, Step>, problem: Problem, text: string) {
  const steps: Step[] = [];
  const texts: string[] = [];
  const marks: Reading['marks'][number][] = [];
  const rest: string[] = [];
  const lines = spoken(text).split(/\n|(?<=\S[.;)]?)[ \t]+(?=\bStep \d+:)/);
  const plain = plainText(lines.join('\n')).split('\n'); // every line stays one line
  for (const [index, raw] of lines.entries()) {
    const line = plain[index]!.slice(0, LONGEST_LINE).trim();
    const check = CHECK.exec(line) ?? DERIVED_CHECK.exec(line);
    if (check) marks[Number(check[1]) - 1] = /^(?:right|correct|✓|✔|✅)/i.test(check[2]!) ? 'right' : 'wrong';
    else rest.push(raw);
    const numbered = check ? null : STEP.exec(line);
    const at = numbered ? Number(numbered[1] ?? numbered[2]) - 1 : steps.length;
    const step = numbered && at <= steps.length ? task.parse(problem, numbered[3]!, at) : undefined;
    if (step === undefined) continue;
    steps.splice(at, steps.length, step);
    texts.splice(at, texts.length, `${raw}\n`);
  }
  return { steps, texts, marks: Array.from(marks), rest: rest.join('\n') };
}

/** The pieces in up to four turns. */
export function cutPieces<Piece>(pieces: readonly Piece[], draws: Stream): Piece[][] {
  const places = Array.from({ length: pieces.length - 1 }, (_, index) => index + 1);
  const cuts = draws.shuffle(places).slice(0, 3);
  const ends = [...cuts.sort((a, b) => a - b), pieces.length];
  return ends.map((end, index) => pieces.slice(index === 0 ? 0 : ends[index - 1], end));
}

/** What is taken back is taken back in the last turn. */
function overriding<Problem>(
  family: ProblemFamily<Problem>,
  amend: (problem: Problem, draws: Stream) => Amendment<Problem>,
): NonNullable<ProblemFamily<Problem>['override']> {
  return (problem, draws) => {
    const { text, changed } = amend(problem, draws);
    const { turns } = family.shards(problem, draws);
    return { turns: turns.map((turn, index) => (index === turns.length - 1 ? `${turn}\n${text}` : turn)), changed };
  };
}
