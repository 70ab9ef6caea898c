import type { Display } from './display.ts';
import { JsonDisplay } from './json-display.ts';
import { LiveDisplay } from './live-display.ts';
import { PlainDisplay } from './plain-display.ts';

export type DisplayOptions = { readonly json?: boolean; readonly quiet?: boolean };

const quiet: Display = { event() {}, doing() {}, close() {} };

/** A live terminal for people, plain lines for pipes and logs, JSON for machines. */
export function openDisplay({ json, quiet: silent }: DisplayOptions): Display {
  if (json) return new JsonDisplay();
  if (silent) return quiet;
  return process.stdout.isTTY ? new LiveDisplay() : new PlainDisplay();
}
