import { setTimeout as wait } from 'node:timers/promises';
import { Runtime } from '../engine/local/runtime/runtime.ts';

/** How long the workers may take to finish their current runs. */
const PATIENCE_MS = 5000;

let ending = false;

/**
 * Ends the process with this exit code. Exiting while a worker is inside the executor would abort the process (exit code
 * 134, the reason lost), so the workers finish their current runs first and start no others. If that takes too long, or
 * on a second call, the process dies of SIGINT: that aborts nothing, and a shell reports it as 130.
 */
export async function endProcess(code: number): Promise<void> {
  if (ending) return endBySignal();
  ending = true;
  const halted = Runtime.haltAll().then(() => true);
  if (await Promise.race([halted, wait(PATIENCE_MS, false)])) process.exit(code);
  endBySignal();
}

function endBySignal(): void {
  process.removeAllListeners('SIGINT');
  process.kill(process.pid, 'SIGINT');
}
