import type { Reply } from '../conversation/chat-model.ts';
import type { Turn } from '../conversation/conversation.ts';

/** Words of the user that belong to the problem. */
export const asked = (text: string): Turn => ({ role: 'user', text, origin: 'given' });

/** Words put into the model's mouth by the experimenter. */
export const putIntoMouth = (text: string): Turn => ({ role: 'assistant', text, origin: 'injected' });

/** The same words shown as the user's. */
export const shownByUser = (text: string): Turn => ({ role: 'user', text, origin: 'injected' });

/** A reply as a finished turn: what was sampled goes back as it was sampled. */
export const said = ({ text, ids }: Pick<Reply, 'text' | 'ids'>): Turn => ({
  role: 'assistant',
  text,
  origin: 'sampled',
  ...(ids && { ids }),
});
