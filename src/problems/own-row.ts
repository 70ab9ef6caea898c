import { z } from 'zod';
import { parseJsonLine } from '../disk/json-line.ts';
import { InputError } from '../errors.ts';
import { bareLetter, isLetter, letterAt } from './answers/choice.ts';
import { type Accepted, accepted, gradeReply } from './answers/grade.ts';
import { sameValue } from './answers/same-value.ts';
import { readValue } from './answers/value.ts';

/** A problem of one's own: a line of a JSONL file. */
export type OwnProblem = {
  readonly question: string;
  /** As its author spells it; of several right ones the first; of options the letter. Empty where only work is graded. */
  readonly answer: string;
  readonly numeric: boolean;
  /** A worked solution, shown as it is: nobody but its author can verify its single steps. */
  readonly steps: readonly string[];
  /** Other answers that are right, too. */
  readonly others?: readonly string[] | undefined;
  /** What is to be chosen from. */
  readonly options?: readonly string[] | undefined;
  /** The author's label of `steps`, which are then somebody's work: counted from 1, or that none is wrong. */
  readonly firstWrongStep?: number | 'none' | undefined;
  /** Wrong work, as a model would write it, its answer included. */
  readonly wrong?: readonly string[] | undefined;
  /** The question in the author's own pieces, one for each turn. */
  readonly shards?: readonly string[] | undefined;
  /** What the user says after the answer, turn by turn. */
  readonly followups?: readonly string[] | undefined;
  /** Questions and answers that are shown before this one. */
  readonly demonstrations?: readonly Demonstration[] | undefined;
  /** Problems to train on are never measured. */
  readonly split?: 'train' | 'test' | undefined;
};

export type Demonstration = { readonly question: string; readonly answer: string };

const text = z.string().trim().min(1);
const answer = z.union([z.number(), text]).transform(String);

const rowSchema = z.strictObject({
  question: text,
  answer: answer.optional(),
  answers: z.array(answer).min(1).optional(),
  options: z.array(answer).min(2).max(10).optional(),
  steps: z.array(z.string().trim()).min(1).optional(),
  first_wrong_step: z.union([z.int().min(1), z.literal('none')]).optional(),
  wrong: z.union([text, z.array(text).min(1)]).optional(),
  shards: z.array(text).min(2).optional(),
  followups: z.array(text).min(1).optional(),
  demonstrations: z
    .array(z.strictObject({ question: text, answer }))
    .min(1)
    .optional(),
  split: z.enum(['train', 'test']).optional(),
});
type Row = z.output<typeof rowSchema>;

/** The fields of a row, for documentation. */
export const OWN_FIELDS = Object.keys(rowSchema.shape);

/** @throws InputError that names the place and the field of the first thing that is wrong. */
export function parseRow(line: string, where: string): OwnProblem {
  const parsed = rowSchema.safeParse(parseJsonLine(line, where));
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!; // a failed parse has one
    throw new InputError(`${where}: ${issue.path.join('.') || 'line'}: ${issue.message}`);
  }
  const problem = toProblem(parsed.data, where);
  checkSteps(problem, where);
  if (problem.answer !== '') checkAnswers(problem, where);
  return {
    ...problem,
    ...(problem.wrong && {
      wrong: problem.wrong.map((work, at) => readableWrong(problem, work, `${where}: wrong.${at}`)),
    }),
  };
}

function toProblem(row: Row, where: string): OwnProblem {
  const { question, options, steps = [], first_wrong_step: firstWrongStep, wrong, ...rest } = row;
  const [first, ...others] = rightAnswers(row, where);
  return {
    question,
    answer: first ?? '',
    numeric: options === undefined && first !== undefined && readValue(first).kind === 'number',
    steps: firstWrongStep === undefined ? steps.filter((step) => step !== '') : steps, // a label counts every line
    ...(others.length > 0 && { others }),
    ...(options && { options }),
    ...(firstWrongStep !== undefined && { firstWrongStep }),
    ...(wrong !== undefined && { wrong: [wrong].flat() }),
    ...(rest.shards && { shards: rest.shards }),
    ...(rest.followups && { followups: rest.followups }),
    ...(rest.demonstrations && { demonstrations: rest.demonstrations }),
    ...(rest.split && { split: rest.split }),
  };
}

function rightAnswers({ answer, answers = [], options, first_wrong_step: label }: Row, where: string): string[] {
  const all = [...(answer === undefined ? [] : [answer]), ...answers];
  if (all.length === 0 && label === undefined) throw new InputError(`${where}: answer: is missing`);
  return options ? [...new Set(all.map((one) => letterOf(one, options, where)))] : [...new Set(all)];
}

/** The letter of an option, by letter or by text. */
function letterOf(answer: string, options: readonly string[], where: string): string {
  const texts = options.map(readValue);
  const same = texts.findIndex((option, at) => texts.slice(0, at).some((before) => sameValue(before, option) === true));
  if (same >= 0) throw new InputError(`${where}: options.${same}: says the same as an earlier one`);
  const place = texts.findIndex((option) => sameValue(option, readValue(answer)) === true);
  if (place >= 0) return letterAt(place);
  const letters = options.map((_, at) => letterAt(at));
  const letter = isLetter(answer) ? bareLetter(answer) : '';
  if (letters.includes(letter)) return letter;
  throw new InputError(`${where}: answer: "${answer}" is neither an option nor its letter (${letters.join(', ')})`);
}

function checkSteps({ steps, firstWrongStep }: OwnProblem, where: string): void {
  if (firstWrongStep === undefined) return;
  if (steps.length === 0)
    throw new InputError(`${where}: first_wrong_step: there are no steps that it could be one of`);
  if (firstWrongStep !== 'none' && firstWrongStep > steps.length) {
    throw new InputError(
      `${where}: first_wrong_step: ${firstWrongStep}, and there are ${steps.length} steps; the first is 1`,
    );
  }
}

/** How a reply may state an answer. */
const STATED = [(answer: string) => `Answer: ${answer}`, (answer: string) => `\\boxed{${answer}}`] as const;

/** A right answer has to be read as right: else every right reply would be counted as wrong, or as unreadable. */
function checkAnswers(problem: OwnProblem, where: string): void {
  const right = acceptedOf(problem);
  for (const [at, answer] of right.answers.entries()) {
    for (const state of STATED) {
      const reading = gradeReply(state(answer), right);
      if (reading.right) continue;
      const why = reading.unreadable ?? 'another answer';
      const field = at === 0 ? 'answer' : `answers: "${answer}"`;
      throw new InputError(
        `${where}: ${field}: is not read as right when a reply says "${state(answer)}" (${why}); write it as a reply would`,
      );
    }
  }
}

/** As it is, or as a bare answer. */
function readableWrong(problem: OwnProblem, work: string, where: string): string {
  if (problem.answer === '') throw new InputError(`${where}: there is no answer that it could be held against`);
  const text = /\banswer\b|\\boxed|####/i.test(work) ? work : `Answer: ${work}`;
  const { answer, right } = gradeReply(text, acceptedOf(problem));
  if (right) throw new InputError(`${where}: is read as right`);
  if (answer !== undefined) return text;
  throw new InputError(`${where}: no answer can be read from it; end it with a line "Answer: ..."`);
}

const known = new WeakMap<OwnProblem, Accepted>();

/** What is right for a problem, parsed once. */
export function acceptedOf(problem: OwnProblem): Accepted {
  const right = known.get(problem) ?? accepted([problem.answer, ...(problem.others ?? [])], problem.options);
  known.set(problem, right);
  return right;
}
