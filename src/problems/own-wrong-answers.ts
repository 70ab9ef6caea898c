import { letterAt } from './answers/choice.ts';
import { gradeReply } from './answers/grade.ts';
import { numeralsIn } from './answers/numerals.ts';
import { decimal, equal, inDecimals, plus, type Rational } from './answers/rational.ts';
import { textForm } from './answers/text-form.ts';
import { readValue } from './answers/value.ts';
import { acceptedOf, type OwnProblem } from './own-row.ts';

/** Answers that are surely wrong: the other options, numbers near by, the opposite, the answers of other problems. */
export function otherAnswers(problem: OwnProblem, texts: readonly string[]): string[] {
  const right = acceptedOf(problem);
  const isWrong = (other: string) => {
    const { answer, right: holds } = gradeReply(`Answer: ${other}`, right);
    return answer !== undefined && !holds;
  };
  return candidates(problem, texts).filter(isWrong);
}

function candidates({ answer, options }: OwnProblem, texts: readonly string[]): string[] {
  if (options) return options.map((_, place) => letterAt(place));
  const opposite = oppositeOf(answer);
  if (opposite !== undefined) return [opposite];
  return readValue(answer).kind === 'text' ? [...texts] : OFFSETS.flatMap((off) => shifted(answer, off) ?? []);
}

const OPPOSITES = new Map([['yes', 'no'], ['no', 'yes'], ['true', 'false'], ['false', 'true']]); // biome-ignore format: a table

/** In the case of the answer. */
function oppositeOf(answer: string): string | undefined {
  const opposite = OPPOSITES.get(textForm(answer));
  if (opposite === undefined) return undefined;
  return /^[A-Z]/.test(answer) ? opposite[0]!.toUpperCase() + opposite.slice(1) : opposite; // none is empty
}

const OFFSETS = [1, -1, 2, -2, 3, -3, 10, -10].map((off) => ({
  ...decimal(String(Math.abs(off)), ''),
  sign: Math.sign(off),
}));

const FIRST_NUMBER = /\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+/;

/** The first number moved on, in the spelling of the answer: `$1,200` becomes `$1,201`. */
function shifted(answer: string, { over, under, sign }: Rational & { readonly sign: number }): string | undefined {
  const digits = FIRST_NUMBER.exec(answer)?.[0];
  if (digits === undefined) return undefined;
  const [whole = '', decimals = ''] = digits.replaceAll(',', '').split('.');
  const moved = plus(decimal(whole, decimals), { over: BigInt(sign) * over, under });
  if (moved.over < 0n) return undefined;
  const spelt = inDecimals(moved, decimals.length);
  return answer.replace(digits, () => (digits.includes(',') ? withThousands(spelt) : spelt));
}

const withThousands = (number: string): string => number.replace(/(?<![.\d]\d*\.\d*)\d(?=(?:\d{3})+(?!\d))/g, '$&,');

/** The author's last step, with the other answer where it comes to the right one. */
export function withOtherAnswer(step: string, { answer, numeric }: OwnProblem, other: string): string {
  if (!numeric) return step.replaceAll(wordsOf(answer), () => other);
  const right = readValue(answer);
  const number = FIRST_NUMBER.exec(other)?.[0] ?? other;
  if (right.kind !== 'number') return step;
  const hits = numeralsIn(step).filter(({ value }) => value !== undefined && equal(value, right.value));
  return hits.reduceRight(
    (text, { index, end }) => text.slice(0, index) + signOf(other) + number + text.slice(end),
    step,
  );
}

const signOf = (other: string): string => (/^-/.test(other) ? '-' : '');

function wordsOf(answer: string): RegExp {
  const spelling = answer.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(?<![\\w.])${spelling}(?!\\w|\\.\\d)`, 'gi');
}
