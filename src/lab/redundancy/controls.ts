import type { Stream } from '../../random.ts';
import { stream } from '../../random.ts';
import type { Corpus, Document } from '../text/corpus.ts';

type Sides = Pick<Corpus, 'train' | 'test'>;

/** A text whose bits a byte are known. */
export type Control = {
  readonly name: string;
  /** No model of bytes can get below, but for chance. */
  readonly least: number;
  readonly corpus: Sides;
};

/** Pieces that a control text is cut into. */
const PIECES = 10;

export const controls = {
  /** The documents with their bytes in another order: the same letters, nothing to be predicted from their neighbours. */
  shuffled({ train, test }: Sides, seed: number): Sides {
    const side = (documents: readonly Document[]) =>
      documents.map(({ name, bytes }) => ({
        name,
        bytes: Uint8Array.from(stream(seed, 'shuffled', name).shuffle([...bytes])),
      }));
    return { train: side(train), test: side(test) };
  },

  /** Random bytes hold 8 bits each, four random letters 2: a model that claims less has a leak. */
  known(bytes: number, draws: Stream): Control[] {
    return [
      { name: 'random bytes', least: 7.95, corpus: noise(bytes, () => draws.integer(256)) },
      { name: 'four letters at random', least: 1.98, corpus: noise(bytes, () => 65 + draws.integer(4)) },
    ];
  },
};

function noise(bytes: number, draw: () => number): Sides {
  const length = Math.floor(bytes / PIECES);
  const pieces = Array.from({ length: PIECES }, (_, at) => ({
    name: `piece ${at + 1}`,
    bytes: Uint8Array.from({ length }, draw),
  }));
  return { train: pieces.slice(0, PIECES / 2), test: pieces.slice(PIECES / 2) };
}
