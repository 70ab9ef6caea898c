import { z } from 'zod';

/** What was wrong, in one line. */
export function reason(error: unknown): string {
  if (error instanceof z.ZodError) {
    const issue = error.issues[0]!; // a failed parse has at least one
    return `${issue.path.join('.') || 'top level'}: ${issue.message}`;
  }
  return error instanceof Error ? error.message : String(error);
}
