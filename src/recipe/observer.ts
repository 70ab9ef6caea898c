import { Interrupted } from '../errors.ts';
import type { RunEvent } from '../record/event.ts';

/** Who looks on while a run goes: a terminal, a pipe, a test. */
export interface Observer {
  /** After the event is in the journal. */
  event(event: RunEvent): void;
  /** Between events: what happens now, and the share of it that is done in [0, 1] where that is known. */
  doing(what: string, share?: number): void;
}

/** @throws Interrupted once the user has asked to stop. */
export function throwIfInterrupted(signal: AbortSignal): void {
  if (signal.aborted) throw new Interrupted('the run was interrupted');
}
