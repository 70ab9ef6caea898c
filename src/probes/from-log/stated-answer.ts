import { isRejected, lastClaim } from '../../problems/answers/claim.ts';
import { numeralsIn } from '../../problems/answers/numerals.ts';
import { spell } from '../../problems/answers/rational.ts';
import { sameValue } from '../../problems/answers/same-value.ts';
import { textForm } from '../../problems/answers/text-form.ts';
import { tidyLatex } from '../../problems/answers/tidy-latex.ts';
import { readValue } from '../../problems/answers/value.ts';
import { affirmed } from '../../problems/final-answer.ts';
import { withoutLatex } from '../../problems/plain-text.ts';

/** An answer is short: what is longer is a sentence that begins like one. */
const MOST_WORDS = 12;

/**
 * The answer that a turn states, in one spelling; undefined where none is marked as one, or where it names two. Read as
 * replies to problems are read. A number that merely stands in the text is no answer: guessing here would make changes of
 * answer out of nothing.
 */
export function statedAnswer(text: string): string | undefined {
  const { claim } = lastClaim(text, (line, alone) => alone && isBare(line), 'stop');
  if (claim === undefined || isRejected(claim.statement)) return undefined;
  const parts = affirmed(claim.statement).map(tidyLatex).filter((part) => part !== '');
  const [part] = parts;
  return part === undefined || parts.length > 1 ? undefined : spelt(part);
} // biome-ignore format: one thought a line

function isBare(line: string): boolean {
  return readValue(line).kind !== 'text' || /^(?:\(?[a-j]\)?|yes|no|true|false)$/.test(textForm(line));
}

/** A number in one spelling, whatever stands beside it; a text in small letters. */
function spelt(part: string): string | undefined {
  const value = readValue(part);
  if (value.kind === 'number') return spell(value.value) + (value.percent ? '%' : '');
  if (value.kind !== 'text') return part;
  const [numeral, ...others] = numeralsIn(withoutLatex(part).slice(part.lastIndexOf('=') + 1));
  if (part.split(/\s+/).length > MOST_WORDS) return undefined;
  const isNumber = numeral?.value !== undefined && others.length === 0 && letterOf(part) === undefined;
  return isNumber && numeral?.value ? spell(numeral.value) : part.toLowerCase();
}

/** `b`, `(b)`, `b) paris`, `b. paris`, `option b`. */
const LETTERED = /^(?:(?:option|choice)\s)?\(?([a-j])(?:\)|\.|:|,|\s?[-\u2013\u2014]\s|$)/i;

const letterOf = (answer: string): string | undefined => LETTERED.exec(answer.trim())?.[1]?.toUpperCase();

/** Whether two stated answers are the same, `choices` being what was to be chosen from; undefined where that cannot be told. */
export function sameAnswer(a: string, b: string, choices: readonly string[] = []): boolean | undefined {
  const [one, other] = [chosen(a, choices), chosen(b, choices)];
  if (one !== undefined && other !== undefined) return one === other;
  const same = sameValue(readValue(a), readValue(b));
  return same === false && (holds(a, b) || holds(b, a)) ? undefined : same;
}

/** The letter of a choice, by letter or by text. */
function chosen(answer: string, choices: readonly string[]): string | undefined {
  const place = choices.findIndex((choice) => sameValue(readValue(choice), readValue(answer)) === true);
  return place < 0 ? letterOf(answer) : String.fromCharCode(65 + place);
}

/** Says the same and more. */
function holds(answer: string, other: string): boolean {
  const words = (text: string) =>
    ` ${textForm(text)
      .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
      .trim()} `;
  return /\p{L}{2}/u.test(other) && words(answer).includes(words(other));
}
