import { fileSystemReason } from '../disk/write.ts';
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
  const line = sentence(error);
  if (line !== undefined) return `unrut: ${line.replaceAll(/\s*\n\s*/g, ' ')}`;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `${stack}\nunrut: this is a fault of unrut, not yours; please report it together with the lines above`;
}

function sentence(error: unknown): string | undefined {
  if (error instanceof UnrutError) return error.message;
  if (isOutOfMemory(error)) return `out of memory: ${error.message}; ask for less at a time, or close other programs`;
  const reason = fileSystemReason(error);
  return reason && `${(error as Error).message}: ${reason}`; // an error of the file system is one
}

/** What V8 says where no memory can be had for an array. */
function isOutOfMemory(error: unknown): error is RangeError {
  return error instanceof RangeError && /allocation failed/i.test(error.message);
}
