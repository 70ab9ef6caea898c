/**
 * C0 and C1 controls and DEL, with which a text can move the cursor, recolour or rename the terminal; and the marks that
 * write text from right to left, with which it can look like another one. Line breaks and tabs are let through.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what is looked for
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** The Unicode block that shows each C0 control as a sign: ␛ for escape. */
const PICTURES = 0x2400;

/** A text that comes from elsewhere as a terminal may show it: each control character becomes a visible sign. */
export function visible(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(CONTROLS, picture);
}

function picture(control: string): string {
  const code = control.charCodeAt(0);
  if (code === 0x7f) return '\u2421';
  return code < 0x20 ? String.fromCharCode(PICTURES + code) : '\ufffd';
}

/** The same for a place that holds one line: a name, a cell of a table. */
export const visibleLine = (text: string): string => visible(text).replaceAll(/\s*\n\s*/g, ' ');

/** Plain data in which every text is {@link visibleLine visible} and stands on one line. */
export function visibleData<T>(data: T): T {
  if (typeof data === 'string') return visibleLine(data) as T; // a string as it came
  if (Array.isArray(data)) return data.map(visibleData) as T; // an array as it came
  if (typeof data !== 'object' || data === null || Object.getPrototypeOf(data) !== Object.prototype) return data;
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [visibleLine(key), visibleData(value)])) as T; // the same fields
}
