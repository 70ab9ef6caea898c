import { describe, expect, it } from 'vitest';
import {
  type Board,
  classOf,
  EMPTY,
  isOver,
  isWon,
  keyOf,
  legalMoves,
  mirrored,
  play,
} from '../../src/lab/game-bot/board.ts';
import { gameBot } from '../../src/lab/game-bot/game-bot.ts';
import { pairwise } from '../../src/lab/game-bot/methods.ts';
import { evenly, exactOutcomes, randomMixed } from '../../src/lab/game-bot/outcomes.ts';
import { isHeldOut, teacherMoves, testPositions } from '../../src/lab/game-bot/positions.ts';
import { countPositions, exactValue, goodMoves } from '../../src/lab/game-bot/solver.ts';
import { stream } from '../../src/random.ts';
import { runLab } from './run.ts';

const played = (...moves: number[]): Board => moves.reduce(play, EMPTY);

describe('connect four on 4 x 4', () => {
  it('is a draw of 134,289 positions', () => {
    expect(countPositions()).toBe(134_289);
    expect(exactValue(EMPTY)).toBe(0);
  });

  it('is won by a column, a row and both diagonals', () => {
    expect(isWon(played(0, 1, 0, 1, 0, 1, 0))).toBe(true);
    expect(isWon(played(0, 0, 1, 1, 2, 2, 3))).toBe(true);
    expect(isWon(played(0, 1, 1, 2, 2, 3, 2, 3, 3, 0, 3))).toBe(true);
    expect(isWon(played(3, 2, 2, 1, 1, 0, 1, 0, 0, 3, 0))).toBe(true);
    expect(isWon(played(0, 1, 0, 1, 0, 1))).toBe(false);
  });

  it('makes one class of a position and its mirror image, of the same value', () => {
    const board = played(0, 1, 2, 2);
    expect(classOf(board)).toBe(classOf(mirrored(board)));
    expect(keyOf(mirrored(board))).toBe(keyOf(played(3, 2, 1, 1)));
    expect(exactValue(board)).toBe(exactValue(mirrored(board)));
  });

  it('sees a win in one move, and the only block', () => {
    expect(goodMoves(played(0, 1, 0, 1, 0, 1))).toEqual([0]);
    expect(goodMoves(played(0, 1, 0, 1, 0))).toEqual([0]);
  });
});

describe('exact results', () => {
  it('are those of many played games, and an optimal player never loses', () => {
    const optimal = (board: Board) => evenly(goodMoves(board));
    const draws = stream(1, 'played games');
    const won =
      Array.from({ length: 4000 }, () => Number(isWon(playedOut(draws)) && stones % 2 === 1)).reduce(
        (a, b) => a + b,
        0,
      ) / 4000;
    const random = exactOutcomes(randomMixed, randomMixed);
    expect(random.won + random.drawn + random.lost).toBeCloseTo(1, 9);
    expect(Math.abs(won - random.won)).toBeLessThan(0.03); // four standard errors
    expect(exactOutcomes(optimal, optimal)).toMatchObject({ won: 0, lost: 0 });
    expect(exactOutcomes(optimal, randomMixed)).toMatchObject({ lost: 0 });
  });
});

let stones = 0;

/** The end of a game of random moves; `stones` says how many were set. */
function playedOut(draws: ReturnType<typeof stream>): Board {
  let board = EMPTY;
  for (stones = 0; !isOver(board); stones++) board = play(board, draws.pick(legalMoves(board)));
  return board;
}

it('no held-out class is taught', () => {
  expect(testPositions(60, 1).every(isHeldOut)).toBe(true);
  expect(teacherMoves(500, 0.3, stream(1, 'teacher')).some(({ board }) => isHeldOut(board))).toBe(false);
  expect(teacherMoves(50, 0.3, stream(1, 'teacher')).every(({ board, move }) => legalMoves(board).includes(move))).toBe(
    true,
  );
});

it('the pairwise loss has the gradient of central differences', () => {
  const logprobs = [
    [-1, -2],
    [-0.3, -3],
    [-1, -0.5],
    [-2, -0.1],
  ].map((row) => Float32Array.from(row));
  const loss = pairwise(0.7, [-1, -2, -0.4, -0.2]);
  const { gradients } = loss(logprobs);
  for (const [row, tokens] of logprobs.entries()) {
    const moved = (by: number) =>
      loss(logprobs.map((one, at) => (at === row ? one.with(1, (tokens[1] ?? 0) + by) : one))).loss;
    expect(gradients[row]?.[1]).toBeCloseTo((moved(1e-3) - moved(-1e-3)) / 2e-3, 3);
    expect(gradients[row]?.[0] ?? 1).toBeCloseTo(0);
  }
});

it('a bot that has learnt nothing shows no gain', async () => {
  const { verdict, finding } = await runLab(gameBot, {
    steps: 2,
    methodSteps: 1,
    batch: 8,
    lessons: 200,
    pairs: 20,
    tests: 60,
    seeds: 1,
  });
  expect(verdict).not.toBe('supported');
  expect(finding.scans[0]).toMatchObject({ looked: 60, found: 0 });
});
