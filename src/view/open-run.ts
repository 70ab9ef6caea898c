import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { RunEvent, StepEvent } from '../record/event.ts';
import { Lock } from '../record/lock.ts';
import { CARD, type OpenRun, type RunState, readOpenRun } from '../record/run-folder.ts';
import { eventLine } from '../report/event-line.ts';
import { terminalColors } from '../report/paint.ts';

/** Of a run, or of a probe of an endpoint, that has no results yet: what the list says. */
export type ListedOpenRun = {
  readonly name: string;
  readonly model: string;
  readonly started: string | undefined;
  readonly overrides: readonly string[];
  readonly state: RunState;
  /** How far it is, in words. */
  readonly where: string;
  /** Whether it has a page of its own: a probe of an endpoint keeps no journal of events. */
  readonly hasPage: boolean;
};

const REPLIES = 'replies.jsonl';

/** Whether a folder with these files holds a run that has not finished. */
export const isOpenRun = (names: readonly string[]): boolean => names.includes(CARD) || names.includes(REPLIES);

/** @throws RunError where the run's card or journal is damaged. */
export async function listOpenRun(folder: string): Promise<ListedOpenRun> {
  if (!existsSync(join(folder, CARD))) return openProbe(folder);
  const { card, events, state } = await readOpenRun(folder);
  const { name, model, started, overrides = [] } = card;
  return { name, model, started, overrides, state, where: whereItIs(events), hasPage: true };
}

const header = z.object({ endpoint: z.string(), model: z.string() });

/** A probe of an endpoint writes its replies down before anything else. */
async function openProbe(folder: string): Promise<ListedOpenRun> {
  const file = await open(join(folder, REPLIES));
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 0);
    const [first = ''] = buffer.toString('utf8', 0, bytesRead).split('\n');
    const { data } = header.safeParse(parsed(first));
    const model = data === undefined ? 'unknown model' : `${data.endpoint}#${data.model}`;
    const { size } = await file.stat();
    const state = Lock.isHeld(join(folder, 'lock')) ? 'running' : 'stopped';
    const where = `${(size / 1e6).toFixed(1)} MB of replies`;
    return { name: 'probe', model, started: undefined, overrides: [], state, where, hasPage: false };
  } finally {
    await file.close();
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** `elicit 34/280`, or what happened last. */
export function whereItIs(events: OpenRun['events']): string {
  const last = events.findLast((event) => event.kind !== 'run-interrupted');
  if (last === undefined) return 'has not begun';
  return isStep(last) ? `${last.stage} ${last.step + 1}/${last.of}` : (eventLine(last, NO_COLOURS) ?? last.kind);
}

export const NO_COLOURS = terminalColors({ colors: false });

const isStep = (event: RunEvent): event is StepEvent => event.kind === 'step';
