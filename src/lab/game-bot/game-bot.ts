import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Policy } from '../../engine/engine.ts';
import { stream } from '../../random.ts';
import type { Finding } from '../../results/lab-finding.ts';
import { change } from '../../stats/change.ts';
import { estimate } from '../../stats/estimate.ts';
import { type Outcome, rate } from '../../stats/outcome.ts';
import { defineExperiment, type LabContext } from '../experiment.ts';
import { withSmallModel } from '../text/small-model.ts';
import { type Board, classOf, legalMoves } from './board.ts';
import {
  type Calls,
  type Effort,
  imitate,
  learnPreferences,
  preferDirectly,
  preferences,
  reinforce,
  rejectionSampling,
  rewardOf,
  scoresOf,
} from './methods.ts';
import { greedyMoves, MOVE_SHAPE } from './move-policy.ts';
import { evenly, exactOutcomes, fixedPlayer, type Mixed, type Outcomes, randomMixed } from './outcomes.ts';
import { isHeldOut, teacherMoves, testPositions, trainingPositions } from './positions.ts';
import { goodMoves } from './solver.ts';

const options = z.strictObject({
  /** Optimiser steps of supervised learning before the methods part. */
  steps: z.int().positive().default(400),
  /** Optimiser steps of each method. */
  methodSteps: z.int().positive().default(200),
  batch: z.int().min(8).default(64),
  learningRate: z.number().positive().max(1).default(2e-3),
  /** The teacher's share of random moves. */
  mistakes: z.number().min(0).max(1).default(0.3),
  lessons: z.int().min(100).default(20_000),
  /** Preference pairs. */
  pairs: z.int().min(20).default(2000),
  tests: z.int().min(20).default(800),
  seeds: z.int().min(1).max(20).default(2),
});
type Options = z.output<typeof options>;

/**
 * Do game bots gain from reinforcement and preferences? Connect four on 4 x 4, solved exactly: from one supervised checkpoint,
 * more of the same against rewards from the solver, own moves that it lets pass, and preferences with and without noise.
 */
export const gameBot = defineExperiment({
  name: 'game-bot',
  claim: 'Even basic game bots benefit from RLHF and SFT.',
  question: 'What do rewards and preferences add to supervised learning from a mediocre teacher, move for move?',
  minutes: 8,
  declaration: {
    hypothesis:
      'From the same checkpoint and with as many optimiser steps, policy gradient on the solver’s verdict and DPO on its preferences keep the value of more held-out positions than more supervised learning does, both playing their likeliest move.',
    metric:
      'share of held-out classes of positions (mirror images are one) in which the likeliest move keeps the exact value; paired by class, seeds added up',
    baselines: [
      'more supervised learning, as many steps',
      'the checkpoint at its likeliest move: low temperature alone explains a part',
      'own moves that the verifier lets pass (rejection sampling)',
    ],
    budget:
      'one checkpoint a seed; as many steps and positions a method; the solver’s calls of every method are counted',
    against: 'no gain of either method over more supervised learning',
    notConcluded: 'that solver labels are human feedback; that this holds for games that cannot be solved',
  },
  options,
  run: async (context, chosen) => {
    const results: Result[][] = [];
    for (let seed = 0; seed < chosen.seeds; seed++)
      results.push(await seedResults(context, chosen, context.seed * 1000 + seed));
    return finding(results, chosen);
  },
});

type Result = {
  readonly method: string;
  readonly outcomes: Outcome[];
  readonly legal: number;
  readonly random: Outcomes;
  readonly optimal: Outcomes;
  readonly calls: number;
  readonly proxy: number | null;
};

const METHODS = [
  'supervised',
  'more supervised',
  'rejection sampling',
  'policy gradient, solver',
  'DPO',
  'DPO, 30 % noise',
  'preference model, 10 % noise',
] as const;
type Method = (typeof METHODS)[number];

async function seedResults(context: LabContext, chosen: Options, seed: number): Promise<Result[]> {
  const results: Result[] = [];
  for (const method of METHODS) {
    results.push(await context.piece(`${method}, seed ${seed}`, () => runMethod(context, method, chosen, seed)));
  }
  return results;
}

/** Every method starts from the same checkpoint: the supervised part is the same to the bit. */
function runMethod(context: LabContext, method: Method, chosen: Options, seed: number): Promise<Result> {
  return withSmallModel(MOVE_SHAPE, seed, async ({ policy }) => {
    const lessons = teacherMoves(chosen.lessons, chosen.mistakes, stream(seed, 'teacher'));
    const effort: Effort = { steps: chosen.steps, learningRate: chosen.learningRate, batch: chosen.batch, seed, progress: (share) => context.progress(share / 2) };
    await imitate(policy, lessons, effort);
    await forgetMoments(policy);
    const calls: Calls = { count: 0 };
    const later = { ...effort, steps: chosen.methodSteps, learningRate: chosen.learningRate / 4, seed: seed + 1, progress: (share: number) => context.progress(0.5 + share / 2) };
    const proxy = await carryOut(method, policy, { lessons, effort: later, calls, chosen, seed });
    return measured(method, policy, chosen.tests, calls.count, proxy);
  });
} // biome-ignore format: one line a statement

/** A method begins with an optimiser of its own, as after a change of stage. */
async function forgetMoments(policy: Policy): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'unrut-game-'));
  try {
    await policy.save(join(folder, 'checkpoint'));
    await policy.load(join(folder, 'checkpoint'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

type Task = {
  readonly lessons: ReturnType<typeof teacherMoves>;
  readonly effort: Effort;
  readonly calls: Calls;
  readonly chosen: Options;
  readonly seed: number;
};

/** The mean score of its own moves under the preference model, where there is one. */
async function carryOut(
  method: Method,
  policy: Policy,
  { lessons, effort, calls, chosen, seed }: Task,
): Promise<number | null> {
  const boards = trainingPositions(2000, seed);
  const draws = stream(seed, 'preferences');
  switch (method) {
    case 'supervised':
      return null;
    case 'more supervised':
      return imitate(policy, lessons, effort).then(() => null);
    case 'rejection sampling':
      return rejectionSampling(policy, boards, effort, calls).then(() => null);
    case 'policy gradient, solver':
      return reinforce(
        policy,
        boards,
        async (own, moves) => moves.map((all, at) => all.map((move) => rewardOf(own[at] as Board, move, calls))),
        effort,
      ).then(() => null); // one a board
    case 'DPO':
    case 'DPO, 30 % noise': {
      const pairs = preferences(boards, chosen.pairs, method === 'DPO' ? 0 : 0.3, draws, calls);
      return preferDirectly(policy, pairs, await policy.sampler(), 0.3, effort).then(() => null);
    }
    case 'preference model, 10 % noise':
      return overOptimised(policy, boards, preferences(boards, chosen.pairs, 0.1, draws, calls), effort, seed);
  }
}

/** Learns a preference model, then climbs it: what it thinks of the moves in the end may not be what the solver thinks. */
function overOptimised(
  policy: Policy,
  boards: readonly Board[],
  pairs: ReturnType<typeof preferences>,
  effort: Effort,
  seed: number,
): Promise<number> {
  return withSmallModel(MOVE_SHAPE, seed + 7, async ({ policy: model }) => {
    await learnPreferences(model, pairs, {
      ...effort,
      learningRate: effort.learningRate * 4,
      progress: (share) => effort.progress(share / 2),
    });
    const judge = await model.sampler();
    await reinforce(policy, boards, (own, moves) => scoresOf(judge, own, moves), {
      ...effort,
      progress: (share) => effort.progress(0.5 + share / 2),
    });
    const moves = await greedyMoves(await policy.sampler(), boards.slice(0, 400));
    const scores = await scoresOf(
      judge,
      boards.slice(0, 400),
      moves.map((move) => [move]),
    );
    return scores.flat().reduce((sum, score) => sum + score, 0) / scores.length;
  });
}

const optimalMixed: Mixed = (board) => evenly(goodMoves(board));

async function measured(method: Method, policy: Policy, tests: number, calls: number, proxy: number | null): Promise<Result> {
  const sampler = await policy.sampler();
  const boards = testPositions(tests, 1); // the same ones for all seeds
  const moves = await greedyMoves(sampler, boards);
  const outcomes = boards.map((board, at): Outcome => ({ problem: String(classOf(board)), numerator: Number(goodMoves(board).includes(moves[at] ?? -1)), denominator: 1 }));
  const legal = boards.filter((board, at) => legalMoves(board).includes(moves[at] ?? -1)).length / boards.length;
  const first = await fixedPlayer((own) => greedyMoves(sampler, own), true);
  return { method, outcomes, legal, random: exactOutcomes(first, randomMixed), optimal: exactOutcomes(first, optimalMixed), calls, proxy };
} // biome-ignore format: one line a statement

/** The outcomes of a method over all seeds. */
const all = (results: readonly Result[][], method: Method): Outcome[] =>
  results.flatMap((seed) => seed.find((one) => one.method === method)?.outcomes ?? []);

function finding(results: readonly Result[][], { tests, methodSteps, steps, batch, seeds }: Options): Finding {
  const base = all(results, 'more supervised');
  const gain = (method: Method) => change(base, all(results, method), { seed: 1, range: [-1, 1] });
  const [gradient, dpo] = [gain('policy gradient, solver'), gain('DPO')];
  const noise = rate(all(results, 'DPO, 30 % noise'));
  const of = (method: Method) => results.flatMap((seed) => seed.filter((one) => one.method === method));
  const mean = (method: Method, pick: (result: Result) => number) => of(method).reduce((sum, one) => sum + pick(one), 0) / seeds;
  const over = `${tests} classes of positions, ${seeds} seeds`;
  const untrained = rate(testPositions(tests, 1).map((board) => ({ problem: '', numerator: goodMoves(board).length, denominator: legalMoves(board).length })));
  return {
    headline: `value kept on held-out positions: supervised ${rate(all(results, 'supervised')).toFixed(3)}, more of it ${rate(base).toFixed(3)}, policy gradient ${rate(all(results, 'policy gradient, solver')).toFixed(3)}, DPO ${rate(all(results, 'DPO')).toFixed(3)} (random legal move ${untrained.toFixed(3)})`,
    comparisons: [
      { name: 'policy gradient on the solver minus more supervised learning', unit: 'share', value: gradient.value, low: gradient.low, high: gradient.high, p: gradient.p, expected: 'above', threshold: 0, over },
      { name: 'DPO on noiseless preferences minus more supervised learning', unit: 'share', value: dpo.value, low: dpo.low, high: dpo.high, p: dpo.p, expected: 'above', threshold: 0, over },
    ],
    figures: [{ title: 'Held-out positions whose value the likeliest move keeps', kind: 'bars', x: '', y: 'share', series: [{ name: '', points: METHODS.map((method) => point(method, all(results, method))) }], mark: { value: untrained, name: 'random legal move' } }],
    tables: [
      {
        title: 'Exact results as the first player, every line expanded; means over seeds',
        columns: ['method', 'value kept', 'legal without a mask', 'v. random: won', 'drawn', 'lost', 'v. optimal: drawn', 'lost', 'solver calls', 'score under the preference model'],
        rows: METHODS.map((method) => [method, rate(all(results, method)), mean(method, ({ legal }) => legal), mean(method, ({ random }) => random.won), mean(method, ({ random }) => random.drawn), mean(method, ({ random }) => random.lost), mean(method, ({ optimal }) => optimal.drawn), mean(method, ({ optimal }) => optimal.lost), mean(method, ({ calls }) => calls), of(method)[0]?.proxy ?? '']),
        note: `Ceiling: a first player that picks among the best moves wins ${exactOutcomes(optimalMixed, randomMixed).won.toFixed(3)} against random ones and draws against an optimal one. Preferences are solver labels; with 30 % of them turned round DPO keeps ${noise.toFixed(3)}.`,
      },
    ],
    scans: [{ data: 'held-out positions', method: 'classes under mirroring against the training positions', looked: tests, found: testPositions(tests, 1).filter((board) => !isHeldOut(board)).length }],
    controls: [],
    spent: Object.fromEntries(METHODS.map((method) => [method, { calls: Math.round(mean(method, ({ calls }) => calls)), tokens: (steps + (method === 'supervised' ? 0 : methodSteps)) * batch * 17 }])),
  };
} // biome-ignore format: a field a line

function point(method: Method, outcomes: readonly Outcome[]) {
  const { value, low, high } = estimate(outcomes, { seed: 1, range: [0, 1] });
  return { x: method, y: value, low, high };
}
