/**
 * The form in which texts are compared: without case, accents, quotation marks and a leading article, with one kind of
 * apostrophe, dash and blank, and without the full stops of initials and abbreviations ("R. Ponting", "St. John's").
 * What consists of nothing else is compared as it is written.
 */
export function textForm(text: string): string {
  const plain = text
    .normalize('NFD')
    .replaceAll(/[\u0300-\u036f]/g, '')
    .normalize('NFKC')
    .toLowerCase();
  const form = RULES.reduce((so, [pattern, by]) => so.replaceAll(pattern, by), plain).trim();
  const bare = unwrapped(form).replace(/^(?:the (?=\S)|an? (?=\p{L}{2}))/u, '');
  return bare === '' ? text.trim() : bare;
}

const RULES: readonly (readonly [RegExp, string])[] = [
  [/[\u2018\u2019\u201b\u02bc\u00b4`]/g, "'"],
  [/["\u201c-\u201f\u00ab\u00bb]/g, ''],
  [/(?<![\p{L}\p{N}])'|'(?![\p{L}\p{N}])/gu, ''],
  [/(?<=\p{L})[-\u2010-\u2015](?=\p{L})/gu, ' '],
  [/[\u2010-\u2015\u2212]/g, '-'],
  [/\s?&\s?/g, ' and '],
  [/\.(?!\d)|(?<!\d)\.(?=\D)/g, ''],
  [/[;!?](?=\s|$)|:$/g, ''],
  [/,(?!\d)|(?<!\d),/g, ' '],
  [/\s*:\s*(?=\d)/g, ':'],
  [/\s+/g, ' '],
];

/** Without one pair of brackets round everything. */
function unwrapped(text: string): string {
  const inner = /^[([{<]([^()[\]{}<>]*)[)\]}>]$/.exec(text)?.[1];
  return inner === undefined ? text : inner.trim();
}
