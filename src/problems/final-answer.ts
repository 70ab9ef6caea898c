import { isRejected, lastClaim, refusalOr } from './answers/claim.ts';
import { withoutLatex } from './plain-text.ts';
import type { Unreadable } from './problem-family.ts';

/** The answer of a reply, or why it has none. */
export type FinalAnswer =
  | { readonly answer: string; readonly unreadable?: undefined }
  | { readonly answer: undefined; readonly unreadable: Unreadable };

/** Finds the values of the kind asked for in a statement without LaTeX, each in one spelling. */
export type ValuesIn = (statement: string) => readonly string[];

/**
 * Reads the final answer of a reply. The last statement of an answer counts, because taking an answer back is what is
 * measured; a statement about somebody else's or an earlier answer does not count, and one that names two values, or none, has
 * no answer. What is not stated as the answer (a number in the working) is never taken for it.
 */
export function finalAnswer(reply: string, valuesIn: ValuesIn, ended: 'stop' | 'length' = 'stop'): FinalAnswer {
  const { claim, unreadable } = lastClaim(reply, (line, alone) => isBare(withoutLatex(line), alone, valuesIn), ended);
  if (claim === undefined) return { answer: undefined, unreadable };
  const statement = withoutLatex(claim.statement);
  if (isRejected(statement)) return { answer: undefined, unreadable: refusalOr(reply, 'no answer') };
  const values = [...new Set(valuesIn(statement))];
  if (values.length === 1) return { answer: values[0]! }; // just counted
  if (values.length > 1) return { answer: undefined, unreadable: 'two answers' };
  return { answer: undefined, unreadable: refusalOr(reply, 'no value') };
}

const CONCLUDING = /^(?:so|therefore|thus|hence|in total|altogether|finally|in the end)\b/i;

/** Whether a last line draws the conclusion, or is nothing but one value. */
function isBare(line: string, alone: boolean, valuesIn: ValuesIn): boolean {
  const short = line.split(/\s+/).length <= 4 && (alone || valuesIn(line).join('') === line.replace(/\.$/, ''));
  return (CONCLUDING.test(line) || short) && new Set(valuesIn(line)).size === 1;
}

/**
 * The parts of a statement that say what the answer is: what stands behind "not" or "because" does not, nor does what is
 * called wrong, nor what stands in brackets behind it.
 */
export function affirmed(statement: string): string[] {
  const words = /\b(but|since|because|instead of|rather than|and not|not|or|as|while|whereas|although|from)\b/i;
  const parts = statement.replace(/(?<=\w\S{0,40}\s)\([^()]*[a-z][^()]*\)/gi, '').split(words);
  return parts.filter((part, index) => {
    const before = index === 0 ? '' : parts[index - 1]!.toLowerCase();
    return index % 2 === 0 && (before === '' || before === 'or' || before === 'but') && !/\b(?:wrong|incorrect)\b/i.test(part);
  });
} // biome-ignore format: one rule a line
