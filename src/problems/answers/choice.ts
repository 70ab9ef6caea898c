import { sameValue } from './same-value.ts';
import { tidyLatex } from './tidy-latex.ts';
import { readValue } from './value.ts';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** The letter of the option at a place. */
export const letterAt = (place: number): string => LETTERS[place] ?? '';

/** Whether an answer is the letter of an option, alone or in brackets. */
export const isLetter = (answer: string): boolean => /^\(?[A-J]\)?\.?$/.test(tidyLatex(answer));

/** The letter that an answer is. */
export const bareLetter = (answer: string): string => tidyLatex(answer).replaceAll(/[().]/g, '');

/** `B`, `(B)`, `B) Paris`, `B. Paris`, `option B`, with the text behind it. */
const LETTERED =
  /^(?:the )?(?:(?:option|choice|answer|letter)\s)?[([{"']*([A-Z])(?:[)\]}"']+[.:,]?|[.:,]|\s?[-\u2013\u2014](?=\s)|(?=\s|$))\s*(.*)$/is;

/**
 * The letters that a statement chooses: by letter, by letter and text, or by the text of an option. Two where letter and
 * text contradict each other, or where it names two; none where it chooses none.
 */
export function choiceIn(statement: string, options: readonly string[] | undefined): string[] {
  const said = tidyLatex(statement).replace(/^<(.*)>$/, '$1');
  const byText = options ? chosenByText(said, options) : [];
  if (byText.length > 0) return byText;
  const [, letter, behind = ''] = LETTERED.exec(said) ?? [];
  if (letter === undefined || letter !== letter.toUpperCase() || isArticle(said, letter)) return named(said);
  const place = LETTERS.indexOf(letter);
  if (options && place >= options.length) return [];
  return [...new Set([letter, ...alsoSaid(behind, letter, options)])];
}

/** "A dog" and "I think" begin with words. */
const isArticle = (said: string, letter: string): boolean =>
  /[AI]/.test(letter) && /^[AI]\s+(?!(?:because|since|as|is|and|or|by)\b)[\p{L}]/u.test(said);

/** The letters that a sentence names as letters: "(B)", "option B". */
function named(said: string): string[] {
  const found = said.matchAll(/\(([A-J])\)|\b(?:option|choice|letter) ([A-J])\b/g);
  return [...new Set(Array.from(found, ([, inBrackets, behind]) => inBrackets ?? behind ?? ''))];
}

function chosenByText(said: string, options: readonly string[]): string[] {
  const value = readValue(said);
  return options.flatMap((option, place) => (sameValue(readValue(option), value) === true ? [letterAt(place)] : []));
}

/** What the text behind a letter says: the text of another option, or another letter. An article is no letter. */
function alsoSaid(behind: string, letter: string, options: readonly string[] | undefined): string[] {
  const [, inBrackets, alone] =
    /^(?:,|and|or|&|\/)?\s*(?:\(([A-J])\)|(?:and |or )?([A-J])(?=\s*(?:$|[.,)])))/.exec(behind) ?? [];
  const other = inBrackets ?? alone;
  if (other !== undefined) return [other];
  const texts = options ? chosenByText(behind, options) : [];
  return texts.filter((one) => one !== letter);
}
