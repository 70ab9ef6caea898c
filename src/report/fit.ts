import wrapAnsi from 'wrap-ansi';

/** @file Text within the width of a terminal: counted in columns, in which some signs take two and colours none. */

/** Lines that are too long go on below, between words where possible, two columns further in than they begin. */
export function wrapped(text: string, columns: number): string {
  return text
    .split('\n')
    .map((line) => wrappedLine(line, columns))
    .join('\n');
}

function wrappedLine(line: string, columns: number): string {
  const indent = /^ */.exec(line)?.[0] ?? '';
  const hang = `${indent}  `.slice(0, Math.floor(columns / 2));
  const [first = '', ...rest] = wrapAnsi(line, columns, { hard: true, trim: false }).split('\n');
  if (rest.length === 0) return line;
  const below = wrapAnsi(rest.join('').trimStart(), columns - hang.length, { hard: true }).split('\n');
  return [first.trimEnd(), ...below.map((part) => hang + part)].join('\n');
}

/** Whether no line is wider than the terminal. */
export function fits(text: string, columns: number): boolean {
  return text.split('\n').every((line) => clipped(line, columns) === line);
}

/** The beginning of a line, as much as one row of the terminal holds. */
export function clipped(line: string, columns: number): string {
  return wrapAnsi(line, columns, { hard: true, wordWrap: false, trim: false }).split('\n', 1)[0] ?? '';
}

/** Width of the terminal; of a pipe what COLUMNS says, if anything. */
export function columnsOf(stream: { readonly columns?: number } = process.stdout): number | undefined {
  const said = Number(process.env.COLUMNS);
  return stream.columns ?? (Number.isInteger(said) && said > 0 ? said : undefined);
}
