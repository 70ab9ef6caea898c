/** Who put a turn there: the problem itself, the experimenter (an intervention), or the model. */
export type Origin = 'given' | 'injected' | 'sampled';

export type Role = 'system' | 'user' | 'assistant' | 'tool';

export type Turn = {
  readonly role: Role;
  readonly text: string;
  readonly origin: Origin;
  /** The token ids that `text` was sampled as, where they are known: they go back to the model as they are. */
  readonly ids?: readonly number[];
};

/** A last assistant turn may be left open: the model goes on from it (prefill). */
export type Conversation = readonly Turn[];

/** Turns of one role in a row as one turn, for templates and servers that insist on turns that alternate. */
export function mergeTurns(conversation: Conversation): Conversation {
  const merged: Turn[] = [];
  for (const turn of conversation) {
    const last = merged.at(-1);
    if (last?.role !== turn.role) merged.push(turn);
    else merged[merged.length - 1] = { role: last.role, origin: last.origin, text: `${last.text}\n\n${turn.text}` };
  }
  return merged;
}
