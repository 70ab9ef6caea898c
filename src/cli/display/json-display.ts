import type { RunEvent } from '../../record/event.ts';
import { printJson } from '../print.ts';
import type { Display } from './display.ts';

/** One event per line on standard output, as in `events.jsonl`, and `doing` events in between. */
export class JsonDisplay implements Display {
  event(event: RunEvent): void {
    printJson(event);
  }

  doing(what: string, share?: number): void {
    printJson({ kind: 'doing', time: new Date().toISOString(), what, share });
  }

  close(): void {}
}
