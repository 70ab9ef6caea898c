import { InputError } from '../errors.ts';
import { isInShare } from './held-out.ts';
import { type OwnProblem, ownProblems } from './own-problems.ts';
import type { ProblemFamily, WantedText, WorkedStep } from './problem-family.ts';

/** A file is small, and what is measured needs problems: a larger share is held out than of a generator's problems. */
const TEST_SHARE = 0.2;

export type OwnSplit = { readonly train: readonly OwnProblem[]; readonly test: readonly OwnProblem[] };

/** By the `split` of a line, or else by a hash of the question: the same sides in every run. */
export function splitProblems(problems: readonly OwnProblem[]): OwnSplit {
  const isTest = ({ question, split }: OwnProblem) =>
    split === undefined ? isInShare(question, TEST_SHARE) : split === 'test';
  return { train: problems.filter((one) => !isTest(one)), test: problems.filter(isTest) };
}

/**
 * Problems of one's own to train and measure on. Nobody can verify their single steps, so no check is taught: wrong
 * answers that are challenged have to be mended, right ones kept.
 * @param replyTokens longest reply.
 * @throws InputError where one side of the split is empty.
 */
export function trainableProblems(
  path: string,
  problems: readonly OwnProblem[],
  replyTokens?: number,
): ProblemFamily<OwnProblem> {
  const { train, test } = splitProblems(problems.filter(({ answer }) => answer !== ''));
  for (const [name, side] of Object.entries({ train, test })) {
    if (side.length > 0) continue;
    throw new InputError(
      `${path}: no problem is on the ${name} side; add problems, or say "split": "${name}" in a line`,
    );
  }
  const family = ownProblems(path, problems);
  return {
    ...family,
    replyTokens: replyTokens ?? family.replyTokens,
    size: test.length,
    drawTest: (draws) => draws.pick(test),
    drawTraining: (draws) => draws.pick(train),
    rework,
  };
}

/** The author's work again, if there is any, then whether the answer stood, and the answer. */
function rework(_: OwnProblem, said: readonly WorkedStep[], fresh: readonly WorkedStep[]): WantedText[] {
  const [work] = fresh;
  const stood = said.at(-1)?.concludes === work?.concludes;
  return [
    ...(work === undefined || work.text === '' ? [] : [{ text: work.text }]),
    { text: 'The solution above is' },
    { text: stood ? ' right' : ' wrong', stress: 'mark' },
    { text: `.\nAnswer: ` },
    { text: String(work?.concludes), stress: 'fresh' },
  ];
}
