/** Who put a turn there: the problem itself, the experimenter (an intervention), or the model. */
export type Origin = 'given' | 'injected' | 'sampled';

export type Role = 'system' | 'user' | 'assistant' | 'tool';

export type Turn = { readonly role: Role; readonly text: string; readonly origin: Origin };

/** A last assistant turn may be left open: the model goes on from it (prefill). */
export type Conversation = readonly Turn[];
