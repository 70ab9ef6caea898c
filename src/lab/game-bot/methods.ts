import { type CustomLoss, customLossForwardBackward } from '../../engine/custom-loss.ts';
import type { Datum, Policy, Sampler } from '../../engine/engine.ts';
import { type Stream, stream } from '../../random.ts';
import { train } from '../text/small-model.ts';
import { type Board, legalMoves } from './board.ts';
import { drawnMoves, judgedDatum, moveDatum } from './move-policy.ts';
import type { Lesson } from './positions.ts';
import { goodMoves } from './solver.ts';

export type Effort = {
  readonly steps: number;
  readonly learningRate: number;
  readonly batch: number;
  readonly seed: number;
  progress(share: number): void;
};

/** Of the rewards: the solver's word costs one call a look. */
export type Calls = { count: number };

const ADAM = { beta1: 0.9, beta2: 0.98, epsilon: 1e-9, weightDecay: 0, clipNorm: 1 } as const;

/** Supervised learning of given moves. */
export function imitate(
  policy: Policy,
  lessons: readonly Lesson[],
  { steps, learningRate, batch, seed, progress }: Effort,
): Promise<void> {
  return train(policy, {
    steps,
    learningRate,
    batch: (step) => {
      const draws = stream(seed, 'lessons', step);
      return Array.from({ length: batch }, () => draws.pick(lessons)).map(({ board, move }) => moveDatum(board, move));
    },
    after: (share) => progress(share),
  });
}

/** Whether a move keeps the value of the position, by the solver; an illegal one does not. */
export function rewardOf(board: Board, move: number, calls: Calls): number {
  calls.count++;
  return Number(goodMoves(board).includes(move));
}

/** Own moves that the verifier lets pass become lessons. */
export async function rejectionSampling(
  policy: Policy,
  boards: readonly Board[],
  effort: Effort,
  calls: Calls,
): Promise<void> {
  const drawn = await drawnMoves(policy, boards, 4, effort.seed);
  const kept = boards.flatMap((board, at) =>
    (drawn[at] ?? []).filter(({ move }) => rewardOf(board, move, calls) === 1).map(({ move }) => ({ board, move })),
  );
  if (kept.length > 0) await imitate(policy, kept, effort);
}

/** Group-relative policy gradient; `reward` judges each move. @param pull of a move's logprob towards the reference (KL). */
export async function reinforce(
  policy: Policy,
  boards: readonly Board[],
  reward: (boards: readonly Board[], moves: readonly (readonly number[])[]) => Promise<number[][]>,
  { steps, learningRate, batch, seed, progress }: Effort,
  samples = 8,
): Promise<void> {
  for (let step = 0; step < steps; step++) {
    const draws = stream(seed, 'rollouts', step);
    const drawnBoards = Array.from({ length: Math.ceil(batch / samples) }, () => draws.pick(boards));
    const drawn = await drawnMoves(policy, drawnBoards, samples, draws.integer(2 ** 31 - 1));
    const rewards = await reward(
      drawnBoards,
      drawn.map((own) => own.map(({ move }) => move)),
    );
    const data = drawn.flatMap((own, at) => rollouts(drawnBoards[at] as Board, own, rewards[at] ?? [])); // one a board
    if (data.length > 0) {
      await policy.forwardBackward(data, { kind: 'importance_sampling' });
      await policy.optimStep({ learningRate, ...ADAM });
    }
    progress((step + 1) / steps);
  }
}

/** Advantages are rewards less their group's mean: a group that agrees teaches nothing. */
function rollouts(
  board: Board,
  drawn: readonly { move: number; logprob: number }[],
  rewards: readonly number[],
): Datum[] {
  const mean = rewards.reduce((sum, one) => sum + one, 0) / rewards.length;
  if (rewards.every((one) => one === mean)) return [];
  return drawn.map(({ move, logprob }, at) => {
    const { input, targets } = moveDatum(board, move);
    const last = (value: number) => targets.map((_, place) => (place === targets.length - 1 ? value : 0));
    return { input, targets, logprobs: last(logprob), advantages: last(((rewards[at] ?? 0) - mean) / drawn.length) };
  });
}

/** Two moves of a position, the better one first; a share of the labels is turned round. */
export type Preferred = { readonly board: Board; readonly better: number; readonly worse: number };

export function preferences(
  boards: readonly Board[],
  count: number,
  noise: number,
  draws: Stream,
  calls: Calls,
): Preferred[] {
  return Array.from({ length: count }, () => {
    const board = draws.pick(boards);
    const good = goodMoves(board);
    calls.count++;
    const [better, worse] = [draws.pick(good), draws.pick(legalMoves(board).filter((move) => !good.includes(move)))];
    return draws.chance(noise) ? { board, better: worse, worse: better } : { board, better, worse };
  });
}

/** Direct preference optimisation against a frozen reference. */
export async function preferDirectly(
  policy: Policy,
  pairs: readonly Preferred[],
  reference: Sampler,
  beta: number,
  { steps, learningRate, batch, seed, progress }: Effort,
): Promise<void> {
  for (let step = 0; step < steps; step++) {
    const drawn = pick(pairs, batch, stream(seed, 'pairs', step));
    const data = [
      ...drawn.map(({ board, better }) => moveDatum(board, better)),
      ...drawn.map(({ board, worse }) => moveDatum(board, worse)),
    ];
    const known = (await reference.logprobs(data.map(({ input, targets }) => [...input, targets.at(-1) ?? 0]))).map(
      (own) => own.at(-1) ?? 0,
    );
    await customLossForwardBackward(policy, data, pairwise(beta, known));
    await policy.optimStep({ learningRate, ...ADAM });
    progress((step + 1) / steps);
  }
}

/** A preference model (Bradley & Terry 1952): the logprob of GOOD behind a move is its score. */
export async function learnPreferences(
  model: Policy,
  pairs: readonly Preferred[],
  { steps, learningRate, batch, seed, progress }: Effort,
): Promise<void> {
  for (let step = 0; step < steps; step++) {
    const drawn = pick(pairs, batch, stream(seed, 'judged pairs', step));
    const data = [
      ...drawn.map(({ board, better }) => judgedDatum(board, better)),
      ...drawn.map(({ board, worse }) => judgedDatum(board, worse)),
    ];
    await customLossForwardBackward(
      model,
      data,
      pairwise(
        1,
        data.map(() => 0),
      ),
    );
    await model.optimStep({ learningRate, ...ADAM });
    progress((step + 1) / steps);
  }
}

/** Scores of moves under a preference model, `[board][move]`. */
export async function scoresOf(
  model: Sampler,
  boards: readonly Board[],
  moves: readonly (readonly number[])[],
): Promise<number[][]> {
  const data = boards.flatMap((board, at) => (moves[at] ?? []).map((move) => judgedDatum(board, move)));
  const found = await model.logprobs(data.map(({ input, targets }) => [...input, targets.at(-1) ?? 0]));
  let next = 0;
  return moves.map((own) => own.map(() => found[next++]?.at(-1) ?? 0));
}

const pick = (pairs: readonly Preferred[], count: number, draws: Stream): Preferred[] =>
  Array.from({ length: count }, () => draws.pick(pairs));

/** Mean of -log sigmoid(beta (better - worse)), each less what is known of it; better ones first. */
export function pairwise(beta: number, known: readonly number[]): CustomLoss {
  return (logprobs) => {
    const pairs = logprobs.length / 2;
    const gains = logprobs.map((own, row) => (own.at(-1) ?? 0) - (known[row] ?? 0));
    const margins = Array.from({ length: pairs }, (_, row) => beta * ((gains[row] ?? 0) - (gains[pairs + row] ?? 0)));
    const slopes = margins.map((margin) => -beta / (1 + Math.exp(margin)) / pairs);
    const gradients = logprobs.map((own, row) => {
      const slope = row < pairs ? (slopes[row] ?? 0) : -(slopes[row - pairs] ?? 0);
      return Array.from(own, (_, at) => (at === own.length - 1 ? slope : 0));
    });
    return { loss: margins.reduce((sum, margin) => sum + Math.log1p(Math.exp(-margin)), 0) / pairs, gradients };
  };
}
