import { spoken, withoutMarkdown } from '../plain-text.ts';
import type { Unreadable } from '../problem-family.ts';

/** Where a reply says what its answer is. LaTeX stands as it was written. */
export type Claim = {
  /** Up to the end of the sentence. */
  readonly statement: string;
  /** Up to the end of the line, and up to the next claim. */
  readonly line: string;
  readonly rest: string;
  /** In a box, which says itself where it ends. */
  readonly boxed: boolean;
  /** The last box before it, where it is none itself: what is said behind a box is often said about it. */
  readonly box?: Claim | undefined;
};

export type Claimed =
  | { readonly claim: Claim; readonly unreadable?: undefined }
  | { readonly claim?: undefined; readonly unreadable: Unreadable };

/** What a model does not state at once is no answer. */
const LONGEST = 1000;

/**
 * Finds the last claim of an answer in a reply, because taking an answer back is what is measured. Claims about somebody
 * else's or an earlier answer do not count. `bare` says whether a line is an answer without being called one. Takes time
 * in proportion to the reply.
 */
export function lastClaim(
  reply: string,
  bare: (line: string, alone: boolean) => boolean,
  ended: 'stop' | 'length',
): Claimed {
  const text = withoutMarkdown(unwrapped(spoken(reply))).trimStart();
  if (text.trim() === '') return { unreadable: 'empty' };
  if (text.includes('<think>')) return { unreadable: 'truncated' };
  const found = marked(text) ?? conclusion(text, bare);
  if (ended === 'length' && (found?.open ?? true)) return { unreadable: 'truncated' };
  return found ? { claim: found } : { unreadable: refusalOr(text, 'no answer') };
}

/** Says of a reply without an answer whether it refuses to give one. */
export function refusalOr(reply: string, otherwise: Unreadable): Unreadable {
  return REFUSAL.test(reply) ? 'refusal' : otherwise;
}

const REFUSAL =
  /\b(?:i(?:'m| am) (?:sorry|unable|not able)|i can(?:not|'t|’t)|i won't|as an ai|cannot (?:help|assist|answer))/i;

/** LaTeX round the word "answer" goes; other LaTeX belongs to the answer. */
const unwrapped = (text: string): string =>
  text.replaceAll(/\\(?:text|textbf|mathbf|mathrm)\s?\{([^{}]{0,80}\banswer\b[^{}]{0,80})\}/gi, '$1');

type Found = Claim & { readonly open: boolean };

/** Where a reply says that the answer comes now. */
const MARKER = new RegExp(
  [
    String.raw`\b(?:(?:answer|final (?:value|result|total|sum|number|list|string)|(?:correct|right|best) (?:option|choice))\b`,
    String.raw`(?: (?:to|for) [^.:\n]{1,40}?)?|mine\b)`,
    String.raw`[ \t]*(?::|=|(?:is|are|remains|stays|becomes|(?:should|must|has to|would) be)\b)`,
    String.raw`(?:[ \t]*(?:now|indeed|therefore|still|then|actually|thus|in fact|simply|just)\b)?[ \t]*:?`,
    String.raw`|\bit should (?:actually |instead |rather )?be\b:?|^[ \t]*(?:the )?(?:final )?answer[ \t]*$`,
    String.raw`|\b(?:stand by|stick (?:with|to)|go with|choose|pick|select)[ \t]+(?:option[ \t]+)?(?=[-$\d(\\]|[A-J]\b)`,
    String.raw`|\\(?:boxed|fbox|framebox)[ \t]*(?=[\{\d\\-])`,
  ].join(''),
  'gim',
);

/** Said of an answer that is not the one given now. */
const ANOTHERS =
  /\b(?:your|my|earlier|previous|old|wrong|incorrect|initial|first|original|proposed|given|their|stated|claimed|of the)(?: (?:earlier|previous|first|initial|old))?\s*$/i;
const MY_FINAL = /\bmy(?: final| new)?\s*$/i;
const SUPPOSED =
  /\b(?:if|suppose|assum(?:e|ing)|whether|(?:might|may|could|would) (?:think|say)|thought|said|claimed)\b[^,;]*$/i;
const NEGATED = /\b(?:no longer|not|don't|won't|wouldn't|cannot|can't)\s*$/i;

function marked(text: string): Found | undefined {
  const markers = [...text.matchAll(MARKER)];
  for (let at = markers.length - 1; at >= 0; at--) {
    const marker = markers[at]!; // within
    if (isOthers(text.slice(Math.max(0, marker.index - SENTENCE), marker.index))) continue;
    const start = marker.index + marker[0].length;
    if (marker[0].startsWith('\\')) return boxes(text, markers.slice(0, at + 1));
    const claim = claimAt(text, start, markers[at + 1]?.index ?? text.length);
    const box = markers[at + 1];
    if (claim.statement === '' && box && text.slice(start, box.index).trim() === '') continue;
    return { ...claim, box: boxBefore(text, markers.slice(0, at)) };
  }
  return undefined;
}

function boxBefore(text: string, markers: readonly RegExpMatchArray[]): Claim | undefined {
  const last = markers.findLastIndex(([sign]) => sign.startsWith('\\'));
  return last < 0 ? undefined : boxes(text, markers.slice(0, last + 1));
}

const SENTENCE = 200;

function isOthers(before: string): boolean {
  const sentence = before.slice(Math.max(...['.', '!', '?', '\n'].map((end) => before.lastIndexOf(end))) + 1);
  return (ANOTHERS.test(sentence) && !MY_FINAL.test(sentence)) || SUPPOSED.test(sentence) || NEGATED.test(sentence);
}

function claimAt(text: string, from: number, next: number): Found {
  const rest = text.slice(from, Math.min(next, from + LONGEST));
  const begin = rest.length - rest.trimStart().length;
  const end = endOfStatement(rest, begin);
  const line = rest.slice(begin, endOfLine(rest, begin));
  const open = next === text.length && isBlank(text, from + end.at);
  return {
    statement: rest.slice(begin, end.at).trim(),
    line: line.trim(),
    rest: rest.trim(),
    boxed: false,
    open: open && !end.line,
  };
}

const isBlank = (text: string, from: number): boolean =>
  text.slice(from, from + LONGEST).trim() === '' && from + LONGEST >= text.length;

const endOfLine = (text: string, from: number): number => {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
};

/** A full stop that ends no sentence stands behind an initial or an abbreviation. */
const ABBREVIATED =
  /(?:^|[\s(.])(?:[A-Z]|St|Dr|Mr|Mrs|Ms|Mt|Ft|No|vs|Jr|Sr|Prof|Gen|Col|Capt|Lt|Rev|Sgt|approx|ca|e\.g|i\.e)$/;

/** The end of a sentence or a line outside of all brackets; of an environment of LaTeX lines are no end. */
function endOfStatement(text: string, from: number): { readonly at: number; readonly line: boolean } {
  let [braces, brackets] = [0, 0];
  for (let at = from; at < text.length; at++) {
    const sign = text[at]!; // within
    if (sign === '\\') {
      if (text.startsWith('\\begin{', at) || text.startsWith('\\[', at)) braces++;
      else if (text.startsWith('\\end{', at) || text.startsWith('\\]', at)) braces = Math.max(0, braces - 1);
      at += text.startsWith('\\', at + 1) || '{}[]()'.includes(text[at + 1] ?? ' ') ? 1 : 0;
    } else if (sign === '{') braces++;
    else if (sign === '}' && --braces < 0) return { at, line: false };
    else if ('(['.includes(sign)) brackets++;
    else if (')]'.includes(sign)) brackets = Math.max(0, brackets - 1);
    else if (sign === '\n' && braces === 0) return { at, line: true };
    else if (braces === 0 && endsSentence(text, at, brackets > 0)) return { at: at + 1, line: false };
  }
  return { at: text.length, line: false };
}

function endsSentence(text: string, at: number, inBrackets: boolean): boolean {
  if (!'.!?;'.includes(text[at]!) || !/\s|^$/.test(text[at + 1] ?? '')) return false;
  if (inBrackets) return false;
  return text[at] !== '.' || !ABBREVIATED.test(text.slice(Math.max(0, at - 7), at)) || text.slice(at + 1).trim() === '';
}

/** Most boxes that together make one answer: `\boxed{1} and \boxed{-2}`. */
const MOST_BOXES = 12;
const BETWEEN = /^[\s$,.;&\\()[\]]*(?:\\text\{)?\s*(?:and|or)?\s*\}?[\s$\\()[\]]*(?:[a-z]\s?=\s?)?$/;

/** The content of the last box, by its braces, together with those right before it. */
function boxes(text: string, markers: readonly RegExpMatchArray[]): Found {
  const contents: string[] = [];
  let begin = text.length;
  let closed = true;
  let end = text.length;
  for (const marker of markers.slice(-MOST_BOXES).reverse()) {
    if (!marker[0].startsWith('\\')) break;
    const box = boxAt(text, marker.index! + marker[0].length); // matchAll gives each its index
    if (
      contents.length > 0 &&
      !(box.closed && BETWEEN.test(text.slice(box.end, begin).slice(0, 60)) && begin - box.end <= 60)
    )
      break;
    if (contents.length === 0) [closed, end] = [box.closed, box.end];
    contents.unshift(box.content);
    begin = marker.index!; // the same
  }
  const statement = contents.join(', ').trim();
  return { statement, line: statement, rest: statement, boxed: true, open: !closed && end >= text.length };
}

function boxAt(
  text: string,
  from: number,
): { readonly content: string; readonly end: number; readonly closed: boolean } {
  if (text[from] !== '{') {
    const [word = ''] = /^(?:\\[a-zA-Z]+(?:\{[^{}]{0,40}\}){0,2}|-?[\d.,]*\d)/.exec(text.slice(from, from + 200)) ?? [];
    return { content: word, end: from + word.length, closed: word !== '' };
  }
  let depth = 0;
  for (let at = from; at < Math.min(text.length, from + LONGEST); at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '{') depth++;
    else if (text[at] === '}' && --depth === 0) return { content: text.slice(from + 1, at), end: at + 1, closed: true };
  }
  return { content: text.slice(from + 1, from + LONGEST), end: text.length, closed: false };
}

/** The bare value that a reply consists of or ends with, or the sentence that draws the conclusion. */
function conclusion(text: string, bare: (line: string, alone: boolean) => boolean): Found | undefined {
  const whole = text.trimEnd();
  const line = whole.slice(whole.lastIndexOf('\n') + 1).trim();
  if (line.length > LONGEST || /^(?:step|check)\b/i.test(line) || line.search(MARKER) >= 0) return undefined;
  if (!bare(line, whole.trim() === line)) return undefined;
  return { statement: line, line, rest: line, boxed: false, open: true };
}

/** A question, or a value called wrong in the same breath, states nothing. */
export function isRejected(statement: string): boolean {
  return (
    /\?$/.test(statement) || /^\W*\S+(?:,? which)? (?:is|was|seems|looks) (?:wrong|incorrect|not )/i.test(statement)
  );
}
