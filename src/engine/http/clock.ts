import { setTimeout as sleep } from 'node:timers/promises';

/** Time, so that a test need not wait for it. */
export type Clock = {
  /** Milliseconds. */
  now(): number;
  sleep(milliseconds: number): Promise<unknown>;
  /** Calls back once, unless what it returns was called before. */
  timer(milliseconds: number, ring: () => void): () => void;
};

export const realClock: Clock = {
  now: () => performance.now(),
  sleep: (milliseconds) => sleep(milliseconds),
  timer: (milliseconds, ring) => {
    const timer = setTimeout(ring, milliseconds);
    return () => clearTimeout(timer);
  },
};
