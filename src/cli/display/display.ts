import type { Watch } from '../../recipe/observer.ts';
import { JsonDisplay } from './json-display.ts';
import { LiveDisplay } from './live-display.ts';
import { PlainDisplay } from './plain-display.ts';

/** Shows a run while it goes. */
export interface Display extends Watch {
  /** Leaves the terminal as it was found. */
  close(): void;
}

export type DisplayOptions = { readonly json?: boolean; readonly quiet?: boolean };

const quiet: Display = { event() {}, doing() {}, close() {} };

/** A live terminal for people, plain lines for pipes and logs, JSON for machines. */
export function openDisplay({ json, quiet: silent }: DisplayOptions): Display {
  if (json) return new JsonDisplay();
  if (silent) return quiet;
  return process.stdout.isTTY ? new LiveDisplay() : new PlainDisplay();
}
