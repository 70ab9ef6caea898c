import { clipped, columnsOf } from '../report/fit.ts';
import { visible, visibleLine } from '../visible.ts';

/**
 * @file The one way to the terminal. What is printed may quote a stranger: a server's sentence, a log's text, the name of
 * a model or a file. Control characters in it become visible signs; only our own colours get through.
 */

/** Text for people, on standard output. */
export function print(text: string): void {
  process.stdout.write(harmless(text));
}

/** Writes the last line of a terminal anew, as much of it as one row holds. */
export function redraw(line: string): void {
  process.stdout.write(`\r\u001b[2K${clipped(visibleLine(line), (columnsOf() ?? 80) - 1)}`);
}

/** A line for people beside the results, on standard error. */
export function say(line: string): void {
  process.stderr.write(`${harmless(line)}\n`);
}

/** One JSON value on a line of its own. What JSON leaves as it is though a terminal obeys it is escaped, too. */
export function printJson(value: unknown): void {
  const json = JSON.stringify(value).replace(/[\u007f-\u009f]/g, (control) => {
    return `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  process.stdout.write(`${json}\n`);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
const COLOURS = /(\u001b\[\d+m)/;

/** Split by colours: they stand at the odd places. */
export function harmless(text: string): string {
  return text
    .split(COLOURS)
    .map((part, at) => (at % 2 === 1 ? part : visible(part)))
    .join('');
}
