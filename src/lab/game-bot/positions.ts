import { createHash } from 'node:crypto';
import { type Stream, stream } from '../../random.ts';
import { type Board, classOf, legalMoves } from './board.ts';
import { gameOf, mediocre, randomPlayer } from './players.ts';
import { goodMoves } from './solver.ts';

export type Lesson = { readonly board: Board; readonly move: number };

/** A fifth of the classes of positions is held out: a position and its mirror image lie on the same side. */
export const isHeldOut = (board: Board): boolean =>
  (createHash('sha256')
    .update(`connect four ${classOf(board)}`)
    .digest()[0] ?? 0) < 51;

/** A teacher's moves in positions of the training side. */
export function teacherMoves(count: number, mistakes: number, draws: Stream): Lesson[] {
  const lessons: Lesson[] = [];
  while (lessons.length < count)
    lessons.push(...gameOf(mediocre(mistakes), draws).filter(({ board }) => !isHeldOut(board)));
  return lessons.slice(0, count);
}

/** Held-out positions, one a class, in which a move can spoil something. */
export function testPositions(count: number, seed: number): Board[] {
  return distinct(count, stream(seed, 'test positions'), isHeldOut);
}

/** The same of the training side. */
export function trainingPositions(count: number, seed: number): Board[] {
  return distinct(count, stream(seed, 'training positions'), (board) => !isHeldOut(board));
}

function distinct(count: number, draws: Stream, wanted: (board: Board) => boolean): Board[] {
  const found = new Map<number, Board>();
  for (let games = 0; found.size < count && games < 200 * count; games++) {
    const player = draws.chance(0.5) ? randomPlayer : mediocre(0.3);
    for (const { board } of gameOf(player, draws))
      if (wanted(board) && canSpoil(board)) found.set(classOf(board), board);
  }
  return [...found.values()].slice(0, count);
}

const canSpoil = (board: Board): boolean => goodMoves(board).length < legalMoves(board).length;
