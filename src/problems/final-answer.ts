import { plainText } from './plain-text.ts';
import type { Unreadable } from './problem-family.ts';

/** The answer of a reply, or why it has none. */
export type FinalAnswer =
  | { readonly answer: string; readonly unreadable?: undefined }
  | { readonly answer: undefined; readonly unreadable: Unreadable };

/** Finds the values of the kind asked for in a statement, each in one spelling. */
export type ValuesIn = (statement: string) => readonly string[];

/**
 * Reads the final answer of a reply. The last statement of an answer counts, because taking an answer back is what is
 * measured; a statement about somebody else's or an earlier answer does not count, and one that names two values, or none, has
 * no answer. What is not stated as the answer (a number in the working) is never taken for it.
 */
export function finalAnswer(reply: string, valuesIn: ValuesIn, ended: 'stop' | 'length' = 'stop'): FinalAnswer {
  const text = plainText(reply).trimStart();
  if (text.trim() === '') return { answer: undefined, unreadable: 'empty' };
  if (text.includes('<think>')) return { answer: undefined, unreadable: 'truncated' };
  const stated = claims(text).at(-1) ?? conclusion(text, valuesIn);
  if (ended === 'length' && (stated?.open ?? true)) return { answer: undefined, unreadable: 'truncated' };
  if (stated === undefined || isRejected(stated.statement))
    return { answer: undefined, unreadable: REFUSAL.test(text) ? 'refusal' : 'no answer' };
  const values = [...new Set(valuesIn(stated.statement))];
  if (values.length === 1) return { answer: values[0]! };
  if (values.length > 1) return { answer: undefined, unreadable: 'two answers' };
  return { answer: undefined, unreadable: REFUSAL.test(text) ? 'refusal' : 'no value' };
}

/** A statement of the answer; `open`: nothing stands behind it, so it may go on. */
type Claim = { readonly statement: string; readonly open: boolean };

/** Where a reply says that the answer comes now. */
const MARKER = new RegExp(
  [
    String.raw`\b(?:answer|final (?:value|result|total|sum|number|list|string))\b(?: (?:to|for) [^.:\n]{1,40}?)?`,
    String.raw`\s*(?::|=|(?:is|are|remains|stays|becomes|(?:should|must|has to|would) be)\b)`,
    String.raw`(?:\s*(?:now|indeed|therefore|still|then|actually|thus|in fact)\b)?\s*:?|\bboxed:`,
    String.raw`|\bit should (?:actually |instead |rather )?be\b:?|^\s*(?:the )?(?:final )?answer\s*$`,
  ].join(''),
  'gim',
);

/** Said of an answer that is not the one given now. */
const ANOTHERS =
  /\b(?:your|my|earlier|previous|old|wrong|incorrect|initial|first|original|proposed|given|their|stated|claimed|of the)(?: (?:earlier|previous|first|initial|old))?\s*$/i;
const MY_FINAL = /\bmy(?: final| new)?\s*$/i;
const SUPPOSED =
  /\b(?:if|suppose|assum(?:e|ing)|whether|(?:might|may|could|would) (?:think|say)|thought|said|claimed)\b[^,;]*$/i;

const REFUSAL =
  /\b(?:i(?:'m| am) (?:sorry|unable|not able)|i can(?:not|'t|’t)|i won't|as an ai|cannot (?:help|assist|answer))/i;

function claims(text: string): Claim[] {
  const markers = [...text.matchAll(MARKER)];
  return markers.flatMap((marker, index) => {
    if (isOthers(text.slice(0, marker.index))) return [];
    const rest = text.slice(marker.index + marker[0].length, markers[index + 1]?.index);
    return [{ ...firstSentence(rest), open: firstSentence(rest).open && index === markers.length - 1 }];
  });
}

function isOthers(before: string): boolean {
  const sentence = before.slice(before.search(/[^.!?\n]*$/));
  return (ANOTHERS.test(sentence) && !MY_FINAL.test(sentence)) || SUPPOSED.test(sentence);
}

/** Up to the end of the sentence or line; of the next line where nothing is left of this one. */
function firstSentence(rest: string): Claim {
  const text = rest.trimStart();
  const end = text.search(/[.!?;](?=\s|$)|\n/);
  if (end < 0) return { statement: text, open: true };
  return { statement: text.slice(0, end + 1).trim(), open: end === text.length - 1 && text[end] !== '\n' };
}

/** A question, or a value called wrong in the same breath, states nothing. */
function isRejected(statement: string): boolean {
  return (
    /\?$/.test(statement) || /^\W*\S+(?:,? which)? (?:is|was|seems|looks) (?:wrong|incorrect|not )/i.test(statement)
  );
}

/** The bare value that a reply consists of or ends with, or the sentence that draws the conclusion. */
function conclusion(text: string, valuesIn: ValuesIn): Claim | undefined {
  const last = text
    .trimEnd()
    .slice(text.trimEnd().lastIndexOf('\n') + 1)
    .trim();
  if (/^(?:step|check)\b/i.test(last) || last.search(MARKER) >= 0) return undefined;
  const concluding = /^(?:so|therefore|thus|hence|in total|altogether|finally|in the end)\b/i.test(last);
  const short =
    last.split(/\s+/).length <= 4 && (text.trim() === last || valuesIn(last).join('') === last.replace(/\.$/, ''));
  return (concluding || short) && new Set(valuesIn(last)).size === 1 ? { statement: last, open: true } : undefined;
}

/**
 * The parts of a statement that say what the answer is: what stands behind "not" or "because" does not, nor does what is
 * called wrong, nor what stands in brackets behind it.
 */
export function affirmed(statement: string): string[] {
  const words = /\b(but|since|because|instead of|rather than|and not|not|or|as|while|whereas|although|from)\b/i;
  const parts = statement.replace(/(?<=\w\S*\s)\([^()]*[a-z][^()]*\)/gi, '').split(words);
  return parts.filter((part, index) => {
    const before = index === 0 ? '' : parts[index - 1]!.toLowerCase();
    return index % 2 === 0 && (before === '' || before === 'or' || before === 'but') && !/\b(?:wrong|incorrect)\b/i.test(part);
  });
} // biome-ignore format: one rule a line
