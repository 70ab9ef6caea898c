import { UnrutError } from '../errors.ts';

/** How the process ends, for scripts. */
export const EXIT = {
  /** Done, and every gate held. */
  ok: 0,
  error: 1,
  /** Done, and a gate's bar was missed. */
  gateMissed: 100,
  /** Ctrl-C, as shells have it: 128 + SIGINT. */
  interrupted: 130,
} as const;

/** One line for what the user can mend; a stack and a request for what we must. */
export function explainError(error: unknown): string {
  if (error instanceof UnrutError) return `unrut: ${error.message.replaceAll('\n', ' ')}`;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `${stack}\nunrut: this is a fault of unrut, not yours; please report it together with the lines above`;
}
