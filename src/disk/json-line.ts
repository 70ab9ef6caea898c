import { InputError } from '../errors.ts';

/** A line of a JSONL file. @param where file and line, for the message. @throws InputError where it is not JSON. */
export function parseJsonLine(line: string, where: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new InputError(`${where}: line: is not JSON (${(error as Error).message})`); // JSON.parse throws nothing else
  }
}
