import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { InputError } from '../errors.ts';
import { letterAt } from './answers/choice.ts';
import { gradeReply } from './answers/grade.ts';
import { acceptedOf, type Demonstration, type OwnProblem, parseRow } from './own-row.ts';
import { otherAnswers, withOtherAnswer } from './own-wrong-answers.ts';
import { endWith, phrasings } from './phrasings.ts';
import type { Brought, ProblemFamily, Reading, WorkedStep } from './problem-family.ts';
import { cutPieces } from './worked-task.ts';

export type { OwnProblem } from './own-row.ts';

/** @throws InputError that names file, line and field of the first thing that is wrong. */
export async function readOwnProblems(path: string): Promise<OwnProblem[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new InputError(`${path}: cannot be read (${error.code})`);
  });
  const seen = new Map<string, number>();
  const problems: OwnProblem[] = [];
  for (const [index, line] of text.replace(/^\ufeff/, '').split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const problem = parseRow(line, `${path}:${index + 1}`);
    const before = seen.get(idOf(problem));
    if (before) throw new InputError(`${path}:${index + 1}: question: is the same as in line ${before}`);
    seen.set(idOf(problem), index + 1);
    problems.push(problem);
  }
  if (problems.length === 0) throw new InputError(`${path}: holds no problem; a line is {"question": ..., "answer": ...}`);
  return problems;
} // biome-ignore format: one line a statement

/** Graded work is told apart by its steps: one question has often been worked many times. */
const idOf = ({ question, steps, firstWrongStep }: OwnProblem): string =>
  firstWrongStep === undefined ? question : [question, ...steps].join('\n');

/** By question, replies that were given to it: whole ones as a model wrote them, or bare answers. */
export type GivenReplies = ReadonlyMap<string, readonly string[]>;

/** The one kind of wrong work: another answer, handed in or made. */
const ANOTHER = 'another answer';

/**
 * Problems of one's own as a family. The whole work is one step. Its injected wrong turns are the wrong ones among
 * `replies`, those of the author's choice, or the author's work with another answer; where none can be had, what needs a
 * wrong turn is refused.
 */
export function ownProblems(
  path: string,
  problems: readonly OwnProblem[],
  replies: GivenReplies = new Map(),
): ProblemFamily<OwnProblem> {
  const answered = problems.filter(({ answer }) => answer !== '');
  const training = answered.filter(({ split }) => split === 'train');
  const solvable = answered.filter(({ split }) => split !== 'train');
  const test = solvable.length > 0 ? solvable : problems.filter(({ split }) => split !== 'train');
  const texts = [...new Set(answered.filter(({ numeric, options }) => !numeric && !options).map(({ answer }) => answer))];
  const wrongOnes = (problem: OwnProblem) => wrongSteps(problem, replies, texts);
  return {
    name: basename(path, '.jsonl'),
    slips: solvable.every((problem) => wrongOnes(problem).length > 0) ? [ANOTHER] : [],
    misconceptions: [],
    ...phrasings('<answer>'),
    replyTokens: 1024,
    size: test.length,
    drawTest: (draws) => draws.pick(test),
    ...(training.length > 0 && { drawTraining: (draws) => draws.pick(training) }),
    id: idOf,
    prompt: (problem) => `${instruction(problem)}\n\n${asked(problem)}`,
    length: () => 1,
    work: (problem, manner, draws, count = 1) => {
      if (count === 0) return [];
      if (manner(0).kind === 'right') return [rightWork(problem)];
      const wrong = wrongOnes(problem);
      if (wrong.length > 0) return [draws.pick(wrong)];
      throw new InputError(`${path}: no wrong answer to "${problem.question}" can be made; hand one in`);
    },
    reply: finished,
    wavedThrough: (steps) => finished(steps.map((step) => ({ ...step, text: `${step.text}Check 1: right\n` }))),
    read,
    brought,
    shards: (problem, draws) => {
      const pieces = problem.shards ?? asked(problem).split(/(?<=[.!?])\s+|\n/);
      const turns = problem.shards ?? cutPieces(pieces, draws).map((group) => group.join(' '));
      const joined = [instruction(problem), ...pieces.map((piece) => `- ${piece}`)].join('\n');
      return { turns: [instruction(problem), ...turns], joined, ...(problem.shards && { reworded: true }) };
    },
  };
} // biome-ignore format: one member a line

const instruction = ({ options }: OwnProblem): string =>
  `Answer the question. ${endWith(options ? '<letter>' : '<answer>')}`;

/** The question, with what it is to be chosen from. */
const asked = ({ question, options = [] }: OwnProblem): string =>
  [question, ...options.map((option, place) => `${letterAt(place)}) ${option}`)].join('\n');

function brought(problem: OwnProblem): Brought {
  const { followups, demonstrations, firstWrongStep } = problem;
  return {
    ...(firstWrongStep !== undefined && { graded: gradedSteps(problem) }),
    ...(followups && { followups }),
    ...(demonstrations && { demonstrated: demonstrated(problem, demonstrations) }),
  };
}

/** Every step is right up to the first wrong one; of those behind it the author says nothing. */
function gradedSteps({ steps, firstWrongStep }: OwnProblem): WorkedStep[] {
  const wrong = firstWrongStep === 'none' ? Number.POSITIVE_INFINITY : Number(firstWrongStep);
  return steps.map((step, at) => ({
    text: `Step ${at + 1}: ${step}\n`,
    right: at + 1 < wrong,
    locallyRight: at + 1 !== wrong,
  }));
}

function demonstrated(problem: OwnProblem, examples: readonly Demonstration[]) {
  const shown = (by: number) => {
    const answers = examples.map((_, at) => examples[(at + by) % examples.length]?.answer);
    const told = examples.map(({ question }, at) => `${question}\nAnswer: ${answers[at]}`);
    return [instruction(problem), ...told, asked(problem)].join('\n\n');
  };
  return { shown: shown(0), moved: shown(1) };
}

function rightWork({ steps, answer, firstWrongStep }: OwnProblem): WorkedStep {
  const work = firstWrongStep === undefined || firstWrongStep === 'none' ? steps : [];
  return { text: numbered(work), right: true, locallyRight: true, concludes: answer };
}

const numbered = (steps: readonly string[]): string => steps.map((step, at) => `Step ${at + 1}: ${step}\n`).join('');

/** Handed in, chosen by the author, or made. */
function wrongSteps(problem: OwnProblem, replies: GivenReplies, texts: readonly string[]): WorkedStep[] {
  const given = [...(replies.get(problem.question) ?? []), ...(problem.wrong ?? [])].flatMap((reply) => {
    const { steps, answerRight } = read(problem, reply);
    return answerRight ? [] : [...steps];
  });
  return given.length > 0 ? given : otherAnswers(problem, texts).map((other) => madeWrong(problem, other));
}

/** The author's work, with the other answer where it comes to the right one. */
function madeWrong(problem: OwnProblem, other: string): WorkedStep {
  const { steps } = problem;
  const changed = steps.map((step, at) => (at === steps.length - 1 ? withOtherAnswer(step, problem, other) : step));
  return { text: numbered(changed), right: false, locallyRight: false, concludes: other };
}

/** Graded work comes to no answer. */
function finished(steps: readonly WorkedStep[]): string {
  const work = steps.map(({ text }) => text.replace(/(?<=.)$/, '\n')).join('');
  const answer = steps.at(-1)?.concludes;
  return answer === undefined ? work : `${work}Answer: ${answer}`;
}

function read(problem: OwnProblem, text: string, ended?: 'stop' | 'length'): Reading {
  const said = text.replaceAll(CHECK, '');
  const marks = [...text.matchAll(CHECK)].map(([, mark]) => (mark?.toLowerCase() === 'right' ? 'right' : 'wrong'));
  const { answer, right, unreadable } = gradeReply(said, acceptedOf(problem), ended);
  if (answer === undefined) return { steps: [], marks, answer, answerRight: false, unreadable };
  const step = { text: withoutAnswerLine(said, answer), right, locallyRight: right, concludes: answer };
  return { steps: [step], marks, answer, answerRight: right };
}

const CHECK = /^Check \d+: (right|wrong)\n?/gim;

/** The work alone. */
function withoutAnswerLine(said: string, answer: string): string {
  const whole = said.trimEnd();
  const last = whole.lastIndexOf('\n') + 1;
  const line = whole.slice(last);
  return /\banswer\b/i.test(line) || line.trim() === answer ? whole.slice(0, last) : whole;
}

/** A wrong answer for each problem, to try the reader of replies with: never what a model is measured by. */
export function stockReplies(problems: readonly OwnProblem[]): GivenReplies {
  return new Map(
    problems.map((problem) => {
      const texts = [...new Set(problems.map(({ answer }) => answer)), 'something else'];
      const [other = 'something else'] = otherAnswers(problem, texts);
      return [problem.question, [`Answer: ${other}`]];
    }),
  );
}
