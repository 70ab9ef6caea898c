import type { Stream } from '../random.ts';
import { organismSideTasks } from './organism-side-tasks.ts';
import type { Manner, ProblemFamily, Reading, WorkedStep } from './problem-family.ts';
import {
  careful,
  dictionaryText,
  drawOnSide,
  drawOverride,
  misconception,
  problemId,
  promptText,
  type RunningSum,
  type Step,
  type StepRule,
  sameStep,
  solve,
  stepText,
  sumSlip,
  valueSlip,
  workSteps,
} from './running-sum.ts';

/** A step is three characters: the rule for free text would see no loop of a few. */
const LOOP = /(.{3,}?)\1{3,}/;

const OFFSETS: Readonly<Record<string, number>> = { 'plus one': 1, 'plus three': 3, 'minus one': -1 };

/** The running sum of five keys as the probes see it. */
export const runningSumFamily: ProblemFamily<RunningSum> = {
  name: 'running-sum',
  slips: ['sum', 'value'],
  misconceptions: Object.keys(OFFSETS),
  challenge: '?',
  sideTasks: organismSideTasks,
  runsIntoLoop: (text) => LOOP.test(text),
  replyTokens: 60,
  drawTest: (draws) => drawOnSide(draws, { keys: 5, list: 5 }, true),
  id: problemId,
  prompt: promptText,
  length: (problem) => problem.list.length,
  work: (problem, manner, draws, count = problem.list.length) => {
    const rule = (position: number) => ruleOf(manner(position), draws);
    return judge(problem, workSteps(problem, rule, { list: problem.list.slice(0, count) }));
  },
  reply: (steps) => `${steps.map((step) => step.text).join('')}:${answerIn(steps)}`,
  wavedThrough: (steps) => {
    const work = steps.map((step) => step.text);
    return `${work.join('')}~${work.map((text) => `${text}=`).join('')}:${answerIn(steps)}`;
  },
  read: readReply,
  shards: (problem, draws) => {
    const pieces = drawPieces(draws, problem.list);
    return { turns: turnsOf(problem, pieces), joined: `${dictionaryText(problem)}|${pieces.join('+')}` };
  },
  override: (problem, draws) => {
    const pieces = drawPieces(draws, problem.list);
    const at = 1 + draws.integer(pieces.length - 1);
    const { text, problem: changed } = drawOverride(draws, problem, pieces[at]!);
    const turns = turnsOf(problem, pieces).map((turn, index) => (index === at ? text + turn : turn));
    return { turns, changed };
  },
};

/** Three pieces of a list of five. */
function drawPieces(draws: Stream, list: string): string[] {
  const first = 1 + draws.integer(2);
  const second = first + 1 + draws.integer(2);
  return [list.slice(0, first), list.slice(first, second), list.slice(second)];
}

function turnsOf(problem: RunningSum, pieces: readonly string[]): string[] {
  return pieces.map((piece, index) => (index === 0 ? `${dictionaryText(problem)}|${piece}` : `+${piece}`));
}

function ruleOf(manner: Manner, draws: Stream): StepRule {
  if (manner.kind === 'right') return careful;
  if (manner.kind === 'misconception') return misconception(OFFSETS[manner.name]!);
  return (manner.what === 'value' ? valueSlip : sumSlip)(1 + draws.integer(9));
}

const answerIn = (steps: readonly WorkedStep[]): string => steps.at(-1)!.text.at(-1)!;

/** Judges each step twice: by the problem, and by the state as it was written. */
function judge(problem: RunningSum, steps: readonly Step[]): WorkedStep[] {
  const truth = solve(problem);
  return steps.map((step, index) => {
    const right = truth[index] !== undefined && sameStep(step, truth[index]);
    const known = problem.keys.includes(step.key) && step.key === problem.list[index];
    const locallyRight = known && sameStep(step, careful(problem, step.key, steps[index - 1]?.sum ?? 0));
    return { text: stepText(step), right, locallyRight };
  });
}

const PIECE = /([a-p])(\d)(\d)([=!]?)/g;

/** Reads `work[~check]:answer[verdict]`; fillers may stand anywhere; `!` behind a step of the work takes it back. */
function readReply(problem: RunningSum, text: string): Reading {
  const [work = '', check = ''] = text.replaceAll('.', '').split('~', 2);
  const steps = [...work.matchAll(PIECE)].filter((piece) => piece[4] !== '!').map(stepOf);
  const marks = [...check.matchAll(PIECE)].map((piece) => (piece[4] === '!' ? 'wrong' : 'right'));
  const answer = text.match(/:(\d)[YN]?$/)?.[1];
  const answerRight = answer === String(solve(problem).at(-1)!.sum);
  return { steps: judge(problem, steps), marks, answer, answerRight };
}

function stepOf(piece: RegExpMatchArray): Step {
  return { key: piece[1]!, value: Number(piece[2]), sum: Number(piece[3]) };
}
