/**
 * A reply without its dress: Markdown, LaTeX and typographic signs go, lines stay, so that one reader does for all
 * models. Thoughts are not part of what was said.
 */
export function plainText(reply: string): string {
  const said = reply.replaceAll(/<think>[\s\S]*?<\/think>/g, '');
  return REPLACEMENTS.reduce((text, [pattern, by]) => text.replace(pattern, by), said);
}

/** In this order: what LaTeX wraps is unwrapped before its dollar signs go. */
const REPLACEMENTS: readonly (readonly [RegExp, string])[] = [
  [/\\(?:text|mathbf|mathrm|textbf|mathit)\s*\{([^{}]*)\}/g, '$1'],
  [/\\boxed\s*\{((?:[^{}]|\{[^{}]*\})*)\}/g, 'boxed: $1'],
  [/\{,\}/g, ','],
  [/\\(?:times|cdot|ast)\b/g, '×'],
  [/\\div\b/g, '÷'],
  [/\\(?:left|right|quad|qquad|displaystyle)\b|\\[()[\]!,;: ]|\\\\|\$/g, ''],
  [/[\u2212\u2010\u2011]|\u2013(?=\s?\d)/g, '-'],
  [/(?<=\d)[\u00a0\u202f\u2009](?=\d{3})/g, ''],
  [/[\u00a0\u202f\u2009]/g, ' '],
  [/\uff1a/g, ':'],
  [/^[ \t]*####\s*(?=[-\d])/gm, 'Answer: '],
  [/^[ \t]*(?:#{1,6}|>|[*+•-](?=\s))[ \t]*/gm, ''],
  [/\*\*|__|`|\|/g, ''],
  [/(?<![\w)\s])\*(?=\S)|(?<=^|\s)\*(?=[^\s*])|(?<=\S)\*(?=$|[\s.,;:!?])/gm, ''],
  [/\b(?:minus|negative) (?=\d)/gi, '-'],
];
