import { throwIfInterrupted } from '../recipe/observer.ts';
import { type DisplayOptions, openDisplay } from './display/open-display.ts';
import { onInterrupt } from './interrupt.ts';

/**
 * Does work that says how far it is, in [0, 1], under a display. Ctrl-C stops it the next time that it says so.
 * @throws Interrupted then.
 */
export async function withProgress<Result>(
  what: string,
  options: DisplayOptions,
  work: (progress: (share: number) => void) => Promise<Result>,
): Promise<Result> {
  const display = openDisplay(options);
  const interrupt = onInterrupt('stops, and leaves nothing behind');
  try {
    return await work((share) => {
      throwIfInterrupted(interrupt.signal);
      display.doing(what, share);
    });
  } finally {
    interrupt.dispose();
    display.close();
  }
}
