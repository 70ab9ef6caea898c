import { setTimeout as sleep } from 'node:timers/promises';

/** Time, so that a test need not wait for it. */
export type Clock = {
  /** Milliseconds. */
  now(): number;
  sleep(milliseconds: number): Promise<unknown>;
};

export const realClock: Clock = { now: () => performance.now(), sleep: (milliseconds) => sleep(milliseconds) };
