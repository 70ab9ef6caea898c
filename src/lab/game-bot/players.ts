import type { Stream } from '../../random.ts';
import { type Board, EMPTY, isOver, isWon, legalMoves, play } from './board.ts';

/** Chooses a column. */
export type Player = (board: Board, draws: Stream) => number;

export const randomPlayer: Player = (board, draws) => draws.pick(legalMoves(board));

/** Wins where it can, else blocks where it must, else moves at random. */
export const winOrBlock: Player = (board, draws) => {
  const moves = legalMoves(board);
  const winning = moves.filter((move) => isWon(play(board, move)));
  const blocking = moves.filter((move) => isWon(play({ mine: board.theirs, theirs: board.mine }, move)));
  return draws.pick(winning.length > 0 ? winning : blocking.length > 0 ? blocking : moves);
};

/** A mediocre teacher: a share of its moves is random. */
export const mediocre =
  (mistakes: number): Player =>
  (board, draws) =>
    draws.chance(mistakes) ? randomPlayer(board, draws) : winOrBlock(board, draws);

/** Every position of a game between two of the same player, with the move that was made. */
export function gameOf(player: Player, draws: Stream): { board: Board; move: number }[] {
  const moves: { board: Board; move: number }[] = [];
  for (let board = EMPTY; !isOver(board); ) {
    const move = player(board, draws);
    moves.push({ board, move });
    board = play(board, move);
  }
  return moves;
}
