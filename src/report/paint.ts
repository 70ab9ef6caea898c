import pc from 'picocolors';
import type { Verdict } from '../results/verdict.ts';

export type TerminalOptions = {
  /** Colours; by default only where standard output is a terminal and NO_COLOR is not set. */
  readonly colors?: boolean;
  /** Width of the terminal; by default that of standard output, and as wide as need be where it is none. */
  readonly columns?: number;
};

export type Colors = ReturnType<typeof pc.createColors>;

/** The pens of a terminal, or of a pipe; see https://no-color.org. */
export function terminalColors({ colors }: TerminalOptions = {}): Colors {
  return pc.createColors(colors ?? (process.stdout.isTTY === true && !process.env.NO_COLOR));
}

/** Colour of a verdict; the word says the same. */
export function verdictPaint(paint: Colors): Readonly<Record<Verdict, (text: string) => string>> {
  return { better: paint.green, worse: paint.red, moved: paint.yellow, held: paint.dim, unclear: paint.dim };
}
