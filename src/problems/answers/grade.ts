import { affirmed } from '../final-answer.ts';
import { withoutLatex } from '../plain-text.ts';
import type { Unreadable } from '../problem-family.ts';
import { bareLetter, choiceIn, isLetter } from './choice.ts';
import { type Claim, isRejected, lastClaim, refusalOr } from './claim.ts';
import { numeralsIn } from './numerals.ts';
import { type Rational, spell } from './rational.ts';
import { sameValue } from './same-value.ts';
import { textForm } from './text-form.ts';
import { readValue, type Value } from './value.ts';

/** What is taken for right. */
export type Accepted = {
  /** As their author spelled them; the first is the one that is shown. Of options, the letters. */
  readonly answers: readonly string[];
  readonly values: readonly Value[];
  /** What is to be chosen from, in the order of the letters. */
  readonly options?: readonly string[] | undefined;
};

export type Graded =
  | { readonly answer: string; readonly right: boolean; readonly unreadable?: undefined }
  | { readonly answer: undefined; readonly right: false; readonly unreadable: Unreadable };

export function accepted(answers: readonly string[], options?: readonly string[]): Accepted {
  return { answers, values: answers.map(readValue), options };
}

/** Reads the last answer of a reply and holds it against what is right. What cannot be read for certain is not graded. */
export function gradeReply(reply: string, right: Accepted, ended: 'stop' | 'length' = 'stop'): Graded {
  const { claim, unreadable } = lastClaim(reply, (line, alone) => isBare(line, alone, right), ended);
  if (claim === undefined) return none(unreadable);
  return gradeClaim(claim.box && !isPlain(claim, right) ? claim.box : claim, right, reply);
}

/** Whether a claim is nothing but an answer: one in other words does not take back what stands in a box before it. */
function isPlain(claim: Claim, right: Accepted): boolean {
  if (isChoice(right)) return choiceIn(claim.statement, right.options).length > 0;
  if (match(claim, right.values) !== undefined || isRejected(claim.statement)) return true;
  return readValue(claim.statement).kind !== 'text' || isOfWords(right, claim.statement);
}

const isOfWords = ({ values }: Accepted, statement: string): boolean =>
  values.every(({ kind }) => kind === 'text') && statement.split(/\s+/).length <= SHORT;

const none = (unreadable: Unreadable): Graded => ({ answer: undefined, right: false, unreadable });
const graded = (answer: string, right: boolean): Graded => ({ answer, right });

function gradeClaim(claim: Claim, right: Accepted, reply: string): Graded {
  const asks = claim.statement.endsWith('?') && !right.answers.some((answer) => answer.includes('?'));
  if (asks) return none(refusalOr(reply, 'no answer'));
  if (isChoice(right)) return gradeChoice(claim, right, reply);
  const found = match(claim, right.values);
  if (found !== undefined) return graded(right.answers[found]!, true); // as many answers as values
  if (isRejected(claim.statement)) return none(refusalOr(reply, 'no answer'));
  const read = right.values.every(({ kind }) => kind === 'number') ? gradeNumber : gradeOther;
  const { unreadable, ...rest } = read(claim.statement, right);
  return unreadable === undefined ? graded(rest.answer!, rest.right) : none(refusalOr(reply, unreadable)); // one of the two
}

/** The place of the right answer that a claim states word for word, sign for sign, or in other signs; undefined where none. */
function match({ statement, line, rest }: Claim, values: readonly Value[]): number | undefined {
  const ways = new Set([statement, line, rest, ...beginnings(line), ...mathsIn(statement)].map(unquoted));
  for (const way of ways) {
    const value = readValue(way);
    const found = values.findIndex((one) => sameValue(one, value) === true);
    if (found >= 0) return found;
  }
  return undefined;
}

const unquoted = (text: string): string => text.trim().replace(/^<([^<>]*)>$/, '$1');

const MOST_SENTENCES = 5;

/** Up to each of the first ends of a sentence: "B. The others are wrong." */
function beginnings(line: string): string[] {
  return [...line.matchAll(/[.!;](?=\s)/g)].slice(0, MOST_SENTENCES).map(({ index }) => line.slice(0, index + 1));
}

/** The formula of a statement in words, where it affirms one only. */
function mathsIn(statement: string): string[] {
  const parts = affirmed(statement).filter((part) => part.trim() !== '');
  const [part = ''] = parts;
  if (parts.length !== 1) return [];
  const formulas = part.match(/\$[^$]+\$|\\\([^)]*\\\)/g) ?? [];
  return [part, ...(formulas.length === 1 ? formulas : [])];
}

/** Whether a letter is to be chosen. */
const isChoice = ({ options, answers }: Accepted): boolean => options !== undefined || answers.every(isLetter);

function gradeChoice({ statement }: Claim, { answers, options }: Accepted, reply: string): Graded {
  if (isRejected(statement)) return none(refusalOr(reply, 'no answer'));
  const [letter, ...others] = choiceIn(statement, options);
  if (others.length > 0) return none('two answers');
  if (letter === undefined) return none(refusalOr(reply, 'no value'));
  const found = answers.find((answer) => bareLetter(answer) === letter);
  return graded(found ?? letter, found !== undefined);
}

/** What a plain text says its number is, of an equation behind the last `=`. */
function gradeNumber(statement: string, right: Accepted): Graded {
  const results = affirmed(withoutLatex(statement)).map((part) => part.slice(part.lastIndexOf('=') + 1));
  if (results.some((part) => /\\[a-zA-Z]|[\^√]/.test(part))) return gradeMaths(statement, right);
  const numerals = results.flatMap(numeralsIn);
  const distinct = new Set(numerals.map(({ value, scaled }) => spellAny(value ?? scaled)));
  const [numeral] = numerals;
  if (distinct.size > 1) return none('two answers');
  if (numeral === undefined) return none('no value');
  const { value, scaled, percent } = numeral;
  const answer = rightNumber(value ?? scaled, percent, right);
  if (answer !== undefined) return graded(answer, true);
  const unlike = results.map(readValue).some((said) => right.values.some((one) => sameValue(one, said) === undefined));
  return value === undefined || (unlike && hasUnit(right)) ? none('no value') : graded(spell(value), false);
}

/** A number in another unit may be the same. */
const hasUnit = ({ values }: Accepted): boolean => values.some((one) => one.kind === 'number' && one.unit !== '');

const spellAny = (value: Rational | undefined): string => (value === undefined ? 'unreadable' : spell(value));

function rightNumber(value: Rational | undefined, percent: boolean, { answers, values }: Accepted): string | undefined {
  if (value === undefined) return undefined;
  const said: Value = { kind: 'number', value, percent, unit: '', form: '' };
  return answers[values.findIndex((one) => sameValue(one, said) === true)];
}

const UNKNOWN = /\b(?:cannot|can't|unable|unknown|impossible|not (?:known|given|enough))\b/;

function gradeOther(statement: string, right: Accepted): Graded {
  return right.values.every(({ kind }) => kind === 'text') ? gradeText(statement, right) : gradeMaths(statement, right);
}

/** A sentence that holds the right words among others is neither right nor wrong: it names more than was asked for. */
function gradeText(statement: string, { values }: Accepted): Graded {
  const parts = affirmed(withoutLatex(statement)).map((part) => part.trim().replace(/[.!;]$/, ''));
  const said = parts.filter((part) => part !== '' && !/^<.*>$/.test(part));
  const forms = [...new Set(said.map(textForm))];
  if (forms.length === 0 || UNKNOWN.test(textForm(statement))) return none('no value');
  const holds = values.some(
    ({ form }) => form !== '' && forms.some((one) => ` ${words(one)} `.includes(` ${words(form)} `)),
  );
  return holds || forms.length > 1 ? none('two answers') : graded(said[0]!, false); // there is one
}

const words = (form: string): string => form.replaceAll(/[^\p{L}\p{N}]+/gu, ' ').trim() || form;

/** Wrong is only what is known to differ. */
function gradeMaths(statement: string, { values }: Accepted): Graded {
  const said = [statement, ...mathsIn(statement)].map(unquoted).find((way) => readValue(way).kind !== 'text');
  if (said === undefined) return none('no value');
  const value = readValue(said);
  if (values.every((one) => sameValue(one, value) === false)) return graded(said, false);
  return none(value.kind === 'several' && value.brackets === 'list' ? 'two answers' : 'no value');
}

const SHORT = 4;
const CONCLUDING = /^(?:so|therefore|thus|hence|in total|altogether|finally|in the end)\b/i;

/** Whether a last line is an answer that is not called one: the right one, or short, or the conclusion. */
function isBare(line: string, alone: boolean, right: Accepted): boolean {
  const claim = { statement: line, line, rest: line, boxed: false };
  if (isChoice(right)) return choiceIn(line, right.options).length === 1 && (alone || isLetter(line));
  if (match(claim, right.values) !== undefined) return true;
  const isShort = line.split(/\s+/).length <= SHORT;
  if (!right.values.every(({ kind }) => kind === 'number')) return isShort && (alone || /^(?:\$|\\\(|\\\[)/.test(line));
  const { answer } = gradeNumber(line, right);
  const bare = isShort && (alone || readValue(line).kind === 'number');
  return answer !== undefined && (bare || CONCLUDING.test(line));
}
