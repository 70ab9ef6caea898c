import { type Stream, stream } from '../../random.ts';
import { type Document, document } from './corpus.ts';

/** Words of the invented language. */
const WORDS = 3000;

/** Words that often follow a word; the rest of the time any word comes, the frequent ones first. */
const FOLLOWERS = 12;

const FOLLOWED = 0.75;

const ONSETS = ['b', 'd', 'f', 'g', 'k', 'l', 'm', 'n', 'p', 'r', 's', 't', 'v', 'st', 'tr', 'sh', 'ch', 'th', ''];
const NUCLEI = ['a', 'e', 'i', 'o', 'u', 'ai', 'ou', 'ea'];
const CODAS = ['', '', '', 'n', 'r', 's', 'l', 't', 'nd', 'st', 'm'];

/**
 * A language without end: invented words by Zipf's law, each with words that like to follow it, in sentences and documents.
 * No document is a copy of another, and held-out ones share as little with the rest as those of people do.
 */
export function generatedDocuments(bytes: number, seed: number): Document[] {
  const words = vocabulary(stream(seed, 'vocabulary'));
  const followers = words.map((_, index) => {
    const draws = stream(seed, 'followers', index);
    return Array.from({ length: FOLLOWERS }, () => zipf(draws));
  });
  const documents: Document[] = [];
  for (let size = 0; size < bytes; size += documents.at(-1)?.bytes.length ?? 0) {
    const draws = stream(seed, 'document', documents.length);
    const sentences = Array.from({ length: 6 + draws.integer(12) }, () => sentence(words, followers, draws));
    documents.push(document(`text ${documents.length + 1}`, `${sentences.join(' ')}\n`));
  }
  return documents;
}

/** Shorter words are more frequent, as in any language. */
function vocabulary(draws: Stream): string[] {
  const words = new Set<string>();
  while (words.size < WORDS) {
    const syllables = 1 + draws.integer(1 + Math.floor(Math.log10(1 + words.size)));
    words.add(
      Array.from({ length: syllables }, () => draws.pick(ONSETS) + draws.pick(NUCLEI) + draws.pick(CODAS)).join(''),
    );
  }
  return [...words];
}

/** A rank in proportion to 1 / (rank + 1). */
function zipf(draws: Stream): number {
  return Math.min(WORDS - 1, Math.floor((WORDS + 1) ** draws.uniform()) - 1);
}

function sentence(words: readonly string[], followers: readonly (readonly number[])[], draws: Stream): string {
  const ranks = [zipf(draws)];
  for (let length = 4 + draws.integer(10); length > 0; length--) {
    const liked = followers[ranks.at(-1) ?? 0] ?? [];
    ranks.push(draws.chance(FOLLOWED) ? draws.pick(liked) : zipf(draws));
  }
  const text = ranks.map((rank) => words[rank]).join(' ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
