import { type Board, EMPTY, isFull, isWon, keyOf, legalMoves, play } from './board.ts';

/** Shares of won, drawn and lost games; the three add up to 1. */
export type Outcomes = { readonly won: number; readonly drawn: number; readonly lost: number };

/** Move probabilities of a player, over the legal columns. */
export type Mixed = (board: Board) => ReadonlyMap<number, number>;

/** Exact results of the first player against the second one, by expanding every line that they can play: no match noise. */
export function exactOutcomes(first: Mixed, second: Mixed): Outcomes {
  const known = new Map<string, Outcomes>();
  const visit = (board: Board, own: boolean): Outcomes => {
    if (isWon(board)) return own ? { won: 0, drawn: 0, lost: 1 } : { won: 1, drawn: 0, lost: 0 };
    if (isFull(board)) return { won: 0, drawn: 1, lost: 0 };
    const key = `${keyOf(board)} ${own}`;
    const before = known.get(key);
    if (before) return before;
    const found = mixed(
      [...(own ? first : second)(board)].map(([move, share]) => [share, visit(play(board, move), !own)]),
    );
    known.set(key, found);
    return found;
  };
  return visit(EMPTY, true);
}

function mixed(parts: readonly (readonly [share: number, outcomes: Outcomes])[]): Outcomes {
  const sum = (of: keyof Outcomes) => parts.reduce((total, [share, outcomes]) => total + share * outcomes[of], 0);
  return { won: sum('won'), drawn: sum('drawn'), lost: sum('lost') };
}

/** Every move alike. */
export function evenly(moves: readonly number[]): ReadonlyMap<number, number> {
  return new Map(moves.map((move) => [move, 1 / moves.length]));
}

export const randomMixed: Mixed = (board) => evenly(legalMoves(board));

/**
 * All positions that a player which always takes the same move can meet against any opponent, by who moves first.
 * @param choose the moves of many positions at once.
 */
export async function fixedPlayer(
  choose: (boards: readonly Board[]) => Promise<readonly number[]>,
  isFirst: boolean,
): Promise<Mixed> {
  const moves = new Map<number, number>();
  let level: Board[] = isFirst ? [EMPTY] : legalMoves(EMPTY).map((move) => play(EMPTY, move));
  while (level.length > 0) {
    const chosen = await choose(level);
    const next = new Map<number, Board>();
    level.forEach((board, at) => {
      const legal = legalMoves(board);
      const move = legal.includes(chosen[at] ?? -1) ? (chosen[at] ?? 0) : (legal[0] ?? 0); // an illegal move counts elsewhere; the game goes on with the first legal one
      moves.set(keyOf(board), move);
      for (const met of answers(play(board, move))) if (!moves.has(keyOf(met))) next.set(keyOf(met), met);
    });
    level = [...next.values()];
  }
  return (board) => evenly([moves.get(keyOf(board)) ?? legalMoves(board)[0] ?? 0]);
}

/** Where the other side can bring the game from here; none where it is over. */
function answers(board: Board): Board[] {
  if (isWon(board) || isFull(board)) return [];
  return legalMoves(board)
    .map((move) => play(board, move))
    .filter((met) => !isWon(met) && !isFull(met));
}
