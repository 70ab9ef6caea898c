import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const RUNS = 'runs';

/** `runs/quickstart-3`, the first number that is free. */
export function nextRunFolder(name: string): string {
  return join(RUNS, `${name}-${Math.max(0, ...numbers(name)) + 1}`);
}

/** `runs/quickstart-2`, the highest number there is; undefined where none is. */
export function latestRunFolder(name: string): string | undefined {
  const taken = numbers(name);
  return taken.length > 0 ? join(RUNS, `${name}-${Math.max(...taken)}`) : undefined;
}

function numbers(name: string): number[] {
  if (!existsSync(RUNS)) return [];
  const counters = readdirSync(RUNS).filter((entry) => entry.startsWith(`${name}-`));
  return counters.map((entry) => Number(entry.slice(name.length + 1))).filter(Number.isInteger);
}
