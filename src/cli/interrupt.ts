import { endProcess } from './end-process.ts';
import { EXIT } from './exit.ts';
import { say } from './print.ts';

/**
 * The first Ctrl-C asks the run to stop at the next step; a second one ends the process, which loses at most that step.
 * @param first what the first one says.
 */
export function onInterrupt(first = 'stops after this step'): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) return void endProcess(EXIT.interrupted);
    const behindControlC = process.stderr.isTTY ? '\n' : ''; // the terminal shows ^C
    say(`${behindControlC}unrut: ${first}; press Ctrl-C again to end at once`);
    controller.abort();
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const name of signals) process.on(name, stop);
  return {
    signal: controller.signal,
    dispose() {
      for (const name of signals) process.off(name, stop);
    },
  };
}
