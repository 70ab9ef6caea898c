import { type Board, EMPTY, isFull, isWon, keyOf, legalMoves, play } from './board.ts';

/** For the side to move, when both play well: 1 won, 0 drawn, -1 lost. */
export type Value = 1 | 0 | -1;

const known = new Map<number, Value>();

/** Exact, by search of the whole tree with every position looked at once. */
export function exactValue(board: Board): Value {
  if (isWon(board)) return -1; // the other side has just won
  if (isFull(board)) return 0;
  const key = keyOf(board);
  const before = known.get(key);
  if (before !== undefined) return before;
  const value = Math.max(...legalMoves(board).map((move) => -exactValue(play(board, move)))) as Value; // of Values
  known.set(key, (value + 0) as Value); // never -0
  return known.get(key) ?? 0;
}

/** Positions that the search has met, from the empty board on. */
export function countPositions(): number {
  exactValue(EMPTY);
  return known.size;
}

/** Moves that keep the value of a position: the best there are. */
export function goodMoves(board: Board): number[] {
  const value = exactValue(board);
  return legalMoves(board).filter((move) => -exactValue(play(board, move)) === value);
}
