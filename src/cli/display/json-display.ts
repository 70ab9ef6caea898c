import type { RunEvent } from '../../record/event.ts';
import type { Display } from './display.ts';

/** One event per line on standard output, as in `events.jsonl`, and `doing` events in between. */
export class JsonDisplay implements Display {
  event(event: RunEvent): void {
    process.stdout.write(`${JSON.stringify(event)}\n`);
  }

  doing(what: string, share?: number): void {
    process.stdout.write(`${JSON.stringify({ kind: 'doing', time: new Date().toISOString(), what, share })}\n`);
  }

  close(): void {}
}
