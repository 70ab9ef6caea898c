import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import type { createSessionRequest } from '../wire/requests.ts';
import { quoted, Refusal } from './refusal.ts';

/** One client's connection: its models and samplers go when it is finished. */
export type Session = {
  readonly id: string;
  readonly displayName: string | undefined;
  readonly userMetadata: Record<string, unknown> | undefined;
  readonly modelIds: string[];
  readonly samplerIds: string[];
  lastSeen: number;
  finished: boolean;
};

const MOST_SESSIONS = 4096;

/** A client says every ten seconds that it is there; one that was silent for this long has to make room for others. */
const SILENT_MS = 900_000;

export class Sessions {
  readonly #byId = new Map<string, Session>();
  readonly #release: (session: Session) => void;

  /** @param release frees what belongs to a session that is over. */
  constructor(release: (session: Session) => void) {
    this.#release = release;
  }

  get all(): readonly Session[] {
    return [...this.#byId.values()];
  }

  /** @throws Refusal 429 where all places are taken. */
  create({ display_name, user_metadata }: z.output<typeof createSessionRequest>): Session {
    this.makeRoom();
    if (this.#byId.size >= MOST_SESSIONS) throw new Refusal(`${MOST_SESSIONS} sessions are open`, 429);
    const session = {
      id: randomUUID(),
      displayName: display_name ?? undefined,
      userMetadata: user_metadata ?? undefined,
      modelIds: [],
      samplerIds: [],
      lastSeen: Date.now(),
      finished: false,
    };
    this.#byId.set(session.id, session);
    return session;
  }

  /** @throws Refusal 404 where there is none, 410 where it is over. */
  find(id: string): Session {
    const session = this.#byId.get(id);
    if (session === undefined) throw new Refusal(`there is no session ${quoted(id)}; create one`, 404);
    if (session.finished) throw new Refusal(`session ${id} is finished; create another one`, 410);
    session.lastSeen = Date.now();
    return session;
  }

  /** May be said again. @throws Refusal 404. */
  finish(id: string): void {
    const session = this.#byId.get(id);
    if (session === undefined) throw new Refusal(`there is no session ${quoted(id)}`, 404);
    if (!session.finished) this.#end(session);
  }

  /** Sessions that were silent for long are over; those that are over are forgotten where there are many. */
  makeRoom(): void {
    const before = Date.now() - SILENT_MS;
    for (const session of this.#byId.values()) {
      if (!session.finished && session.lastSeen < before) this.#end(session);
      if (session.finished && this.#byId.size >= MOST_SESSIONS) this.#byId.delete(session.id);
    }
  }

  #end(session: Session): void {
    session.finished = true;
    this.#release(session);
  }
}
