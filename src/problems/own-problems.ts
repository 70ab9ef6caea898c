import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { InputError } from '../errors.ts';
import { affirmed, finalAnswer } from './final-answer.ts';
import { resultsIn } from './numbers.ts';
import { endWith, phrasings } from './phrasings.ts';
import type { ProblemFamily, Reading, WorkedStep } from './problem-family.ts';
import { cutPieces } from './worked-task.ts';

/** A problem of one's own: a line of a JSONL file. */
export type OwnProblem = {
  readonly question: string;
  /** A number is compared as one; anything else letter for letter, but for case, spaces and a full stop. */
  readonly answer: string;
  readonly numeric: boolean;
  /** A worked solution, shown as it is: nobody but its author can verify its single steps. */
  readonly steps: readonly string[];
  /** Which side of the split it is on; absent: a hash of the question decides. */
  readonly split?: 'train' | 'test';
};

const rowSchema = z.strictObject({
  question: z.string().trim().min(1),
  answer: z.union([z.number(), z.string().trim().min(1)]),
  steps: z.array(z.string().trim().min(1)).min(1).optional(),
  split: z.enum(['train', 'test']).optional(),
});

/** @throws InputError that names file, line and field of the first thing that is wrong. */
export async function readOwnProblems(path: string): Promise<OwnProblem[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new InputError(`${path}: cannot be read (${error.code})`);
  });
  const seen = new Map<string, number>();
  const problems: OwnProblem[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const problem = parseRow(line, `${path}:${index + 1}`);
    const before = seen.get(problem.question);
    if (before) throw new InputError(`${path}:${index + 1}: question: is the same as in line ${before}`);
    seen.set(problem.question, index + 1);
    problems.push(problem);
  }
  if (problems.length === 0) throw new InputError(`${path}: holds no problem; a line is {"question": ..., "answer": ...}`);
  return problems;
} // biome-ignore format: one line a statement

function parseRow(line: string, where: string): OwnProblem {
  const parsed = rowSchema.safeParse(parseJson(line, where));
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!; // a failed parse has one
    throw new InputError(`${where}: ${issue.path.join('.') || 'line'}: ${issue.message}`);
  }
  const { question, answer, steps = [], split } = parsed.data;
  const number = Number(String(answer).replaceAll(/(?<=\d),(?=\d{3})/g, ''));
  const numeric = Number.isFinite(number);
  return {
    question,
    answer: numeric ? String(number) : spelt(String(answer)),
    numeric,
    steps,
    ...(split && { split }),
  };
}

function parseJson(line: string, where: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new InputError(`${where}: line: is not JSON (${(error as Error).message})`); // JSON.parse throws nothing else
  }
}

const spelt = (text: string): string => text.toLowerCase().replaceAll(/\s+/g, ' ').replace(/[.\s]+$/, '').trim(); // biome-ignore format: one line

/** By question, replies that were given to it: whole ones as a model wrote them, or bare answers. */
export type GivenReplies = ReadonlyMap<string, readonly string[]>;

/** The one kind of wrong work: another answer, handed in or made. */
const ANOTHER = 'another answer';

/**
 * Problems of one's own as a family. The whole work is one step. Its injected wrong turns are the wrong ones among
 * `replies`, or the author's work with another answer; where neither can be had, what needs a wrong turn is refused.
 */
export function ownProblems(
  path: string,
  problems: readonly OwnProblem[],
  replies: GivenReplies = new Map(),
): ProblemFamily<OwnProblem> {
  const texts = [...new Set(problems.filter(({ numeric }) => !numeric).map(({ answer }) => answer))];
  const wrongOnes = (problem: OwnProblem) => {
    const handedIn = wrongReplies(problem, replies);
    return handedIn.length > 0 ? handedIn : otherAnswers(problem, texts).map((other) => wrongStep(problem, other));
  };
  return {
    name: basename(path, '.jsonl'),
    slips: problems.every((problem) => wrongOnes(problem).length > 0) ? [ANOTHER] : [],
    misconceptions: [],
    ...phrasings('<answer>'),
    replyTokens: 1024,
    size: problems.length,
    drawTest: (draws) => draws.pick(problems),
    id: ({ question }) => question,
    prompt: ({ question }) => `${INSTRUCTION}\n\n${question}`,
    length: () => 1,
    work: (problem, manner, draws, count = 1) => {
      if (count === 0) return [];
      if (manner(0).kind === 'right') return [rightWork(problem)];
      const wrong = wrongOnes(problem);
      if (wrong.length > 0) return [draws.pick(wrong)];
      throw new InputError(`${path}: no wrong answer to "${problem.question}" can be made; hand one in`);
    },
    reply: finished,
    wavedThrough: (steps) => finished([{ ...steps[0]!, text: `${steps[0]!.text}Check 1: right\n` }]),
    read,
    shards: ({ question }, draws) => {
      const sentences = question.split(/(?<=[.!?])\s+/);
      const turns = [INSTRUCTION, ...cutPieces(sentences, draws).map((group) => group.join(' '))];
      return { turns, joined: [INSTRUCTION, ...sentences.map((sentence) => `- ${sentence}`)].join('\n') };
    },
  };
}

const INSTRUCTION = `Answer the question. ${endWith('<answer>')}`;

function rightWork({ steps, answer }: OwnProblem): WorkedStep {
  return { text: numbered(steps), right: true, locallyRight: true, concludes: answer };
}

const numbered = (steps: readonly string[]): string => steps.map((step, at) => `Step ${at + 1}: ${step}\n`).join('');

function wrongReplies(problem: OwnProblem, replies: GivenReplies): WorkedStep[] {
  return (replies.get(problem.question) ?? []).flatMap((reply) => {
    const { steps, answerRight } = read(problem, reply);
    return answerRight ? [] : [...steps];
  });
}

/** The author's work, with the other answer where it comes to the right one. */
function wrongStep({ steps, answer }: OwnProblem, other: string): WorkedStep {
  const spelling = answer.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const whole = new RegExp(`(?<![\\w.])${spelling}(?!\\w|\\.\\d)`, 'gi');
  const changed = steps.map((step, at) => (at === steps.length - 1 ? step.replaceAll(whole, other) : step));
  return { text: numbered(changed), right: false, locallyRight: false, concludes: other };
}

/** Numbers near by; of other answers those that other problems have, or the one that is left of two. */
function otherAnswers({ answer, numeric }: OwnProblem, texts: readonly string[]): string[] {
  if (numeric) return OFFSETS.map((off) => shifted(answer, off)).filter((other) => sameSign(other, answer));
  const opposites = OPPOSITES.find((pair) => pair.some((one) => one === answer));
  return (opposites ?? texts).filter((other) => other !== answer);
}

const sameSign = (a: string, b: string): boolean => a.startsWith('-') === b.startsWith('-');

const OFFSETS = [1, -1, 2, -2, 3, -3, 10, -10] as const;
const OPPOSITES = [
  ['yes', 'no'],
  ['true', 'false'],
] as const;

/** With as many decimals. */
function shifted(answer: string, off: number): string {
  const decimals = answer.split('.')[1]?.length ?? 0;
  return String(Number((Number(answer) + off).toFixed(decimals)));
}

const finished = (steps: readonly WorkedStep[]): string => `${steps[0]!.text}Answer: ${steps[0]!.concludes}`;

function read(problem: OwnProblem, text: string, ended?: 'stop' | 'length'): Reading {
  const said = text.replaceAll(CHECK, '');
  const { answer, unreadable } = finalAnswer(said, (statement) => answersIn(problem, statement), ended);
  const marks = [...text.matchAll(CHECK)].map(([, mark]) => (mark!.toLowerCase() === 'right' ? 'right' : 'wrong'));
  if (answer === undefined) return { steps: [], marks, answer, answerRight: false, unreadable };
  const right = answer === problem.answer;
  const work = said.trimEnd().replace(/^.*\banswer\b.*$(?![\s\S])/im, '');
  return { steps: [{ text: work, right, locallyRight: right, concludes: answer }], marks, answer, answerRight: right };
}

const CHECK = /^Check \d+: (right|wrong)\n?/gim;

/** A sentence that holds the right words among others is neither right nor wrong: it names more than was asked for. */
function answersIn({ numeric, answer }: OwnProblem, statement: string): readonly string[] {
  if (numeric) return affirmed(statement).flatMap(resultsIn);
  const exactly = spelt(unquoted(statement));
  if (exactly === answer) return [answer];
  if (/\b(?:cannot|can't|can’t|unable|unknown|impossible|not (?:known|given|enough))\b/.test(exactly)) return [];
  const said = affirmed(exactly).map(spelt);
  const more = said.some((part) => part !== answer && ` ${part.replaceAll(/\W+/g, ' ')} `.includes(` ${answer} `));
  return [...(more ? [answer] : []), ...said.filter((part) => part !== '' && !/^<.*>$/.test(part))];
}

const unquoted = (text: string): string => text.replaceAll(/["“”']/g, '');

/** A wrong answer for each problem, to try the reader of replies with: never what a model is measured by. */
export function stockReplies(problems: readonly OwnProblem[]): GivenReplies {
  return new Map(
    problems.map(({ question, answer, numeric }) => {
      const other = problems.find((problem) => !problem.numeric && problem.answer !== answer)?.answer;
      return [question, [`Answer: ${numeric ? Number(answer) + 1 : (other ?? 'something else')}`]];
    }),
  );
}
