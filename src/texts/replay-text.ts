import type { Stream } from '../random.ts';
import { type BaseText, type Document, drawAuthorsDocument, drawDocument, withShares } from './base-text.ts';

/** Share of the replayed documents that are in the assistant's own role: short tasks that must stay as they are. */
const ASSISTANT_SHARE = 0.35;

const SHORT_TASKS = { fewShot: 2, repeat: 3 };

/** A document to keep in mind: authors' text, or short tasks in the assistant's role. */
export function drawReplay(text: BaseText, draws: Stream): Document {
  if (!draws.chance(ASSISTANT_SHARE)) return drawAuthorsDocument(draws, text);
  return drawDocument(draws, { ...withShares(text, { documents: SHORT_TASKS, authors: text.authors }), assistant: 1 });
}
