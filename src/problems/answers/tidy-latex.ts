/**
 * LaTeX, and what a model writes for it, in the few words that are compared: without what only sets it (blanks, sizes,
 * fonts, dollar signs), one spelling for each sign. Takes time in proportion to the text.
 */
export function tidyLatex(text: string): string {
  const plain = RULES.reduce((so, [pattern, by]) => so.replaceAll(pattern, by), text);
  return plain.trim().replace(/(?:\s?[.,;])+$/, '').trim(); // biome-ignore format: one thought
}

/** In this order. */
const RULES: readonly (readonly [RegExp, string])[] = [
  [/\\(?:text|mbox|hbox|textbf|textit|textrm|textnormal|mathrm|mathbf|mathit|mathsf|operatorname|emph)\s?\*?\{([^{}]*)\}/g, '$1'],
  [/(?<=\d)(?:,\\[!,]|\\[!,],?|\{,\}|\\!,\\!|\\,)\s?(?=\d{3}(?!\d))/g, ''],
  [/\\(?:left|right|[bB]igg?[lrm]?)(?![a-zA-Z])(?:\s?\.(?!\d))?/g, ''],
  [/\\(?:displaystyle|textstyle|limits)(?![a-zA-Z])/g, ''],
  [/(?<!\\)\\[()[\]]|\\?\$/g, ' '],
  [/(?<!\\)\\[,;:! ]|\\q?quad(?![a-zA-Z])|[~\u00a0\u2009\u202f]/g, ' '],
  [/\\[dtc]frac(?![a-zA-Z])/g, '\\frac'],
  [/\\frac\s+/g, '\\frac '],
  [/\\%|\s?\b(?:percent|per cent|pct)\b/g, '%'],
  [/\s?\^\s?\{?\s?\\circ\s?\}?|\\degrees?(?![a-zA-Z])|\s?\bdegrees?\b|\s?°/g, '°'],
  [/\\(?:leqslant|leqq|leq|le)(?![a-zA-Z])|\u2264|<=/g, '\\leq '],
  [/\\(?:geqslant|geqq|geq|ge)(?![a-zA-Z])|\u2265|>=/g, '\\geq '],
  [/\\lt(?![a-zA-Z])/g, '<'],
  [/\\gt(?![a-zA-Z])/g, '>'],
  [/\\neq?(?![a-zA-Z])|\u2260|!=/g, '\\neq '],
  [/\\lbrace(?![a-zA-Z])/g, '\\{'],
  [/\\rbrace(?![a-zA-Z])/g, '\\}'],
  [/\u221e|\\infin(?![a-zA-Z])|\binfinity\b|\boo\b/g, '\\infty '],
  [/\u222a|\bU\b(?=\s?[([])/g, '\\cup '],
  [/\u2208/g, '\\in '],
  [/\u03c0|(?<![a-zA-Z\\])pi(?![a-zA-Z])/g, '\\pi '],
  [/(?:\u221a|(?<![a-zA-Z\\])sqrt)\s?\(([^()]*)\)/g, '\\sqrt{$1}'],
  [/\u221a\s?(\d+|[a-z])/g, '\\sqrt{$1}'],
  [/\*\*/g, '^'],
  [/\\(?:cdot|times|ast)(?![a-zA-Z])|[\u00d7\u22c5\u00b7*]/g, '\\cdot '],
  [/[\u2212\u2010\u2011\u2013]/g, '-'],
  [/\u00b2/g, '^2'],
  [/\u00b3/g, '^3'],
  [/\\(?:lvert|rvert|vert)(?![a-zA-Z])/g, '|'],
  [/\\(?:emptyset|varnothing)(?![a-zA-Z])|\u2205/g, '\\emptyset '],
  [/\s+/g, ' '],
]; // biome-ignore format: a rule a line
