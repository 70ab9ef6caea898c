import type { Observer } from '../../recipe/observer.ts';

/** Shows a run while it goes. */
export interface Display extends Observer {
  /** Leaves the terminal as it was found. */
  close(): void;
}
