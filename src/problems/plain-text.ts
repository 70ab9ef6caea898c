/**
 * A reply without its dress: Markdown, LaTeX and typographic signs go, lines stay, so that one reader does for all
 * models. Thoughts are not part of what was said. Every line stays one line. Takes time in proportion to the reply.
 */
export function plainText(reply: string): string {
  return withoutLatex(withoutMarkdown(spoken(reply)));
}

const OPEN = '<think>';
const CLOSE = '</think>';

/** What was said aloud. Thoughts that a chat template opened end without having begun; those that do not end stay. */
export function spoken(reply: string): string {
  const parts: string[] = [];
  const orphan = reply.indexOf(CLOSE);
  const opened = reply.indexOf(OPEN);
  let at = orphan >= 0 && (opened < 0 || orphan < opened) ? orphan + CLOSE.length : 0;
  for (let open = reply.indexOf(OPEN, at); open >= 0; open = reply.indexOf(OPEN, at)) {
    const close = reply.indexOf(CLOSE, open);
    if (close < 0) break;
    parts.push(reply.slice(at, open));
    at = close + CLOSE.length;
  }
  return parts.join('') + reply.slice(at);
}

/** Without headings, quotes, list marks, emphasis and code marks. LaTeX stays as it is. */
export const withoutMarkdown = (text: string): string => replaceAll(text, MARKDOWN);

/** Without what LaTeX sets and typography writes otherwise: what is left are words, numbers and operators. */
export const withoutLatex = (text: string): string => replaceAll(text, LATEX);

type Rules = readonly (readonly [RegExp, string])[];

const replaceAll = (text: string, rules: Rules): string =>
  rules.reduce((so, [pattern, by]) => so.replace(pattern, by), text);

const MARKDOWN: Rules = [
  [/<<[^<>\n]{0,200}>>/g, ''], // the calculator's notes in GSM8K
  [/(?<=\w)\*\*(?=\d)/g, '^'],
  [/^[ \t]*####[ \t]*(?=[-+.$€£¥\d\\(½]|[^\n]{1,80}\s*(?![\s\S]))/gm, 'Answer: '],
  [/^[ \t]*(?:#{1,6}|>|[*+•-](?=\s))[ \t]*/gm, ''],
  [/\*\*|__|`/g, ''],
  [/(?<![\w)\s])\*(?=\S)|(?<=^|\s)\*(?=[^\s*])|(?<=\S)\*(?=$|[\s.,;:!?])/gm, ''],
];

const FONTS = 'text|mathbf|mathrm|textbf|mathit|textit|textrm|mbox|hbox|textnormal|operatorname';

/** In this order: what LaTeX wraps is unwrapped before its dollar signs go. */
const LATEX: Rules = [
  [new RegExp(String.raw`\\(?:${FONTS}) ?\{([^{}]*)\}`, 'g'), '$1'],
  [/\\boxed ?\{((?:[^{}]|\{[^{}]*\}){0,200})\}/g, 'boxed: $1'],
  [/\{,\}|,\\!/g, ','],
  [/(?<=\d) ?\\[dtc]?frac ?(?:\{ ?(\d+) ?\}|(\d)) ?(?:\{ ?(\d+) ?\}|(\d))/g, ' $1$2/$3$4'],
  [/\\[dtc]?frac ?(?:\{ ?(-?\d+) ?\}|(\d)) ?(?:\{ ?(\d+) ?\}|(\d))/g, '$1$2/$3$4'],
  [/\\(?:times|cdot|ast)\b/g, '×'],
  [/\\div\b/g, '÷'],
  [/\^ ?\{?\\circ\}?|°/g, ' degrees'],
  [/\\%/g, '%'],
  [/\\(?:left|right|quad|qquad|displaystyle)\b|\\[()[\]!,;: $]|\\\\|\$/g, ''],
  [/[\u2212\u2010\u2011]|\u2013(?= ?\d)/g, '-'],
  [/(?<=\d)[\u00a0\u202f\u2009](?=\d{3})/g, ''],
  [/[\u00a0\u202f\u2009]/g, ' '],
  [/\uff1a/g, ':'],
  [/\|/g, ''],
  [/\b(?:minus|negative) (?=\d)/gi, '-'],
];
