import type { ProblemFamily, WantedText, WorkedStep } from './problem-family.ts';

/** @file What a chat model that checks its work writes behind it, in any family that is worked a line a step. */

export const CHECKING = 'Let me check every step against the problem, right or wrong.\n';

/** The step done afresh, then whether the written one agrees: a verdict behind a derivation compares written text. */
function checkLine(fresh: WorkedStep, step: WorkedStep | undefined): WantedText[] {
  const [, number, line] = /^Step (\d+): (.*)\n$/.exec(fresh.text) ?? [];
  const written = step?.text.replace(/^Step \d+: |\n$/g, '') ?? '';
  const mark = step?.right ? ' right' : ' wrong';
  return [{ text: `Check ${number}: ` }, ...afresh(line ?? '', written), { text: mark, stress: 'mark' }, { text: '\n' }];
} // biome-ignore format: one line a statement

/** Text whose end, from where it departs from the written one, has to be learnt. */
function afresh(text: string, written: string): WantedText[] {
  let same = 0;
  while (same < text.length && text[same] === written[same]) same++;
  const parts: WantedText[] = [{ text: text.slice(0, same) }, { text: text.slice(same), stress: 'fresh' }];
  return parts.filter((part) => part.text !== '');
}

/** A finished line, as reading takes back apart. */
export const answerLine = (steps: readonly WorkedStep[]): string => `Answer: ${steps.at(-1)!.concludes}`;

/** The work afresh, a mark on each written step, the answer of the fresh work; and the reply to a challenge. */
export const checkedWork: Required<Pick<ProblemFamily<unknown>, 'check' | 'rework'>> = {
  check: (_, steps, fresh) => [
    { text: CHECKING },
    ...fresh.flatMap((step, at) => checkLine(step, steps[at])),
    { text: answerLine(fresh) },
  ],
  rework: (_, said, fresh) => [
    ...fresh.flatMap((step, at) => afresh(step.text, said[at]?.text ?? '')),
    { text: 'The solution above is' },
    { text: said.at(-1)?.concludes === fresh.at(-1)?.concludes ? ' right' : ' wrong', stress: 'mark' },
    { text: `.\n${answerLine(fresh)}` },
  ],
};
