/** @file Connect four on a board of 4 x 4, four in a row: 134,289 positions, a draw when both play well. */

export const SIZE = 4;
const CELLS = SIZE * SIZE;
const FULL = 2 ** CELLS - 1;

/** Stones as bits, cell = 4 * column + height: those of the side to move, and those of the other. */
export type Board = { readonly mine: number; readonly theirs: number };

export const EMPTY: Board = { mine: 0, theirs: 0 };

/** Every four in a row, as bits. */
const LINES = lines();

function lines(): number[] {
  const bit = (column: number, height: number) => 1 << (SIZE * column + height);
  const range = [0, 1, 2, 3];
  const sum = (cells: readonly number[]) => cells.reduce((bits, cell) => bits | cell, 0);
  return [
    ...range.map((column) => sum(range.map((height) => bit(column, height)))),
    ...range.map((height) => sum(range.map((column) => bit(column, height)))),
    sum(range.map((at) => bit(at, at))),
    sum(range.map((at) => bit(at, SIZE - 1 - at))),
  ];
}

export const keyOf = ({ mine, theirs }: Board): number => mine * 65536 + theirs;

/** Columns that are not full. */
export function legalMoves({ mine, theirs }: Board): number[] {
  return [0, 1, 2, 3].filter((column) => ((mine | theirs) & (1 << (SIZE * column + SIZE - 1))) === 0);
}

/** The board behind a legal move, as the other side sees it. */
export function play({ mine, theirs }: Board, column: number): Board {
  const taken = mine | theirs;
  let cell = SIZE * column;
  while (taken & (1 << cell)) cell++;
  return { mine: theirs, theirs: mine | (1 << cell) };
}

/** Whether the side that has just moved has four in a row. */
export const isWon = ({ theirs }: Board): boolean => LINES.some((line) => (theirs & line) === line);

export const isFull = ({ mine, theirs }: Board): boolean => (mine | theirs) === FULL;

export const isOver = (board: Board): boolean => isWon(board) || isFull(board);

/** The same position seen in a mirror. */
export function mirrored({ mine, theirs }: Board): Board {
  const turn = (bits: number) =>
    [0, 1, 2, 3].reduce((all, column) => all | (((bits >> (SIZE * column)) & 15) << (SIZE * (SIZE - 1 - column))), 0);
  return { mine: turn(mine), theirs: turn(theirs) };
}

/** Equal for a position and its mirror image. */
export const classOf = (board: Board): number => Math.min(keyOf(board), keyOf(mirrored(board)));
