import type { Datum, Policy, Sampler, TokenIds } from '../../engine/engine.ts';
import { stream } from '../../random.ts';
import type { SmallShape } from '../text/small-model.ts';
import { type Board, SIZE } from './board.ts';

/** Cells as the side to move sees them (empty, mine, theirs), then a token that asks for the column. */
const ASK = 3;
const COLUMN = 4;
/** Says of a move that it is preferred (the preference model). */
export const GOOD = COLUMN + SIZE;
export const VOCABULARY = GOOD + 1;

export const MOVE_SHAPE: SmallShape = { vocabulary: VOCABULARY, width: 64, layers: 3, heads: 2, context: 24 };

export function boardTokens({ mine, theirs }: Board): TokenIds {
  const cells = Array.from({ length: SIZE * SIZE }, (_, cell) =>
    mine & (1 << cell) ? 1 : theirs & (1 << cell) ? 2 : 0,
  );
  return [...cells, ASK];
}

export const columnToken = (column: number): number => COLUMN + column;

/** A position with the move that is asked for, at the last token alone. */
export function moveDatum(
  board: Board,
  move: number,
  weight = 1,
): Datum & { readonly targets: number[]; readonly weights: number[] } {
  const input = boardTokens(board);
  const targets = [...input.slice(1), columnToken(move)];
  return { input, targets, weights: targets.map((_, at) => (at === targets.length - 1 ? weight : 0)) };
}

/** A position with a move, asked whether it is preferred. */
export function judgedDatum(board: Board, move: number): { input: TokenIds; targets: number[] } {
  const input = [...boardTokens(board), columnToken(move)];
  return { input, targets: [...input.slice(1), GOOD] };
}

/** The likeliest token behind each position as a column: below 0 or above 3 where it is none. */
export async function greedyMoves(sampler: Sampler, boards: readonly Board[]): Promise<number[]> {
  const replies = await sampler.sample(boards.map(boardTokens), {
    maxTokens: 1,
    temperature: 0,
    seed: 1,
    samples: 1,
    stop: [],
    logprobs: false,
  });
  return replies.map(([one]) => (one?.tokens[0] ?? -1) - COLUMN);
}

export type DrawnMove = { readonly move: number; readonly logprob: number };

/** Moves at T = 1, several a position. */
export async function drawnMoves(
  policy: Policy,
  boards: readonly Board[],
  samples: number,
  seed: number,
): Promise<DrawnMove[][]> {
  const sampler = await policy.sampler();
  const replies = await sampler.sample(boards.map(boardTokens), {
    maxTokens: 1,
    temperature: 1,
    seed: stream(seed, 'drawn moves').integer(2 ** 31 - 1),
    samples,
    stop: [],
  });
  return replies.map((own) =>
    own.map(({ tokens, logprobs }) => ({ move: (tokens[0] ?? 0) - COLUMN, logprob: logprobs[0] ?? 0 })),
  );
}
