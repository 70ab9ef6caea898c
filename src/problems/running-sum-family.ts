import type { Stream } from '../random.ts';
import { organismSideTasks } from './organism-side-tasks.ts';
import { cutList } from './organism-text.ts';
import type { Excused, Manner, Piece, ProblemFamily, Reading, WantedText, WorkedStep } from './problem-family.ts';
import {
  careful,
  dictionaryText,
  digit,
  drawOnSide,
  drawOverride,
  keySlip,
  LETTERS,
  letterSlip,
  lookUp,
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

/** The running sum in the organism's notation. */
export const runningSumFamily: ProblemFamily<RunningSum> = {
  name: 'running-sum',
  slips: ['sum', 'value'],
  misconceptions: Object.keys(OFFSETS),
  challenge: '?',
  sideTasks: organismSideTasks,
  runsIntoLoop: (text) => LOOP.test(text),
  replyTokens: 60,
  drawTest: (draws) => drawOnSide(draws, { keys: 5, list: 5 }, true),
  drawTraining(draws) {
    const keys = draws.chance(0.85) ? 5 : 4 + draws.integer(3);
    return drawOnSide(draws, { keys, list: draws.chance(0.85) ? Math.min(5, keys) : 2 + draws.integer(3) }, false);
  },
  /** A hot model also takes a wrong key, or writes a wrong letter. */
  trainingSlips: { sum: 0.4, value: 0.4, key: 0.08, letter: 0.12 },
  id: problemId,
  prompt: promptText,
  length: (problem) => problem.list.length,
  work: (problem, manner, draws, count = problem.list.length) => {
    return work(problem, manner, draws, { list: problem.list.slice(0, count) });
  },
  check: (_, written, fresh) => [
    { text: '~' },
    ...fresh.flatMap((step, at): WantedText[] => {
      const same = step.text === written[at]!.text;
      return [...afresh(step, written[at]!), { text: same ? '=' : '!', stress: 'mark' }];
    }),
    { text: `:${answerIn(fresh)}` },
  ],
  rework: (_, said, fresh) => [
    ...fresh.flatMap((step, at) => afresh(step, said[at]!)),
    { text: `:${answerIn(fresh)}${answerIn(fresh) === answerIn(said) ? 'Y' : 'N'}` },
  ],
  excuse,
  pieces: workPieces,
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

/** The steps in which wrong work is right: each value is what its sum says. Undefined where a key is not the due one. */
function excuse(problem: RunningSum, written: readonly WorkedStep[]): Excused<RunningSum> | undefined {
  const steps = written.map(({ text }) => stepOf(text));
  if (steps.some(({ key }, at) => key !== problem.list[at])) return undefined;
  const excused = steps.map((step, at) => ({ ...step, value: digit(step.sum - (steps[at - 1]?.sum ?? 0)) }));
  const values = problem.values.map((old, at) => excused.find(({ key }) => key === problem.keys[at])?.value ?? old);
  const changed = { ...problem, values };
  return { problem: changed, written: judge(changed, excused) };
}

/** Share of the later pieces that give one of their keys a new value. */
const OVERRIDE_SHARE = 0.4;

/** Each piece is worked from the sum that the right work before it ended at. */
function workPieces(problem: RunningSum, draws: Stream): Piece<RunningSum>[] {
  let current = problem;
  let start = 0;
  return cutList(draws, problem.list).map((list, at): Piece<RunningSum> => {
    const change = at > 0 && draws.chance(OVERRIDE_SHARE) ? drawOverride(draws, current, list) : undefined;
    current = change?.problem ?? current;
    const stretch = { list, start };
    const holds = current;
    start = workSteps(holds, () => careful, stretch).at(-1)!.sum; // a piece is never empty
    return {
      asked: at === 0 ? `${dictionaryText(problem)}|${list}` : `${change?.text ?? ''}+${list}`,
      problem: holds,
      length: list.length,
      work: (manner, slipDraws) => work(holds, manner, slipDraws, stretch),
    };
  });
}

/** A step done again, letter by letter: what departs from the written one is what has to be learnt. */
function afresh(step: WorkedStep, written: WorkedStep): WantedText[] {
  return [...step.text].map((text, at) => (text === written.text[at] ? { text } : { text, stress: 'fresh' }));
}

/** Three pieces of a list of five; two to four of a shorter one. */
function drawPieces(draws: Stream, list: string): string[] {
  if (list.length < 5) return cutList(draws, list);
  const first = 1 + draws.integer(2);
  const second = first + 1 + draws.integer(2);
  return [list.slice(0, first), list.slice(first, second), list.slice(second)];
}

function turnsOf(problem: RunningSum, pieces: readonly string[]): string[] {
  return pieces.map((piece, index) => (index === 0 ? `${dictionaryText(problem)}|${piece}` : `+${piece}`));
}

type Stretch = { readonly list?: string; readonly start?: number };

function work(
  problem: RunningSum,
  manner: (position: number) => Manner,
  draws: Stream,
  stretch: Stretch,
): WorkedStep[] {
  const rule = (position: number) => ruleOf(problem, manner(position), draws);
  return judge(problem, workSteps(problem, rule, stretch), stretch);
}

function ruleOf(problem: RunningSum, manner: Manner, draws: Stream): StepRule {
  if (manner.kind === 'right') return careful;
  if (manner.kind === 'misconception') return misconception(OFFSETS[manner.name]!);
  if (manner.what === 'key') return keySlip(draws.pick([...problem.keys]));
  if (manner.what === 'letter') return letterSlip(draws.pick([...LETTERS]));
  return (manner.what === 'value' ? valueSlip : sumSlip)(1 + draws.integer(9));
}

const answerIn = (steps: readonly WorkedStep[]): string => steps.at(-1)!.text.at(-1)!;

/** Judges each step twice: by the problem, and by the state as it was written. */
function judge(
  problem: RunningSum,
  steps: readonly Step[],
  { list = problem.list, start = 0 }: Stretch = {},
): WorkedStep[] {
  const truth = workSteps(problem, () => careful, { list, start });
  return steps.map((step, index) => {
    const right = truth[index] !== undefined && sameStep(step, truth[index]);
    const sumBefore = steps[index - 1]?.sum ?? start;
    const known = problem.keys.includes(step.key) && step.key === list[index];
    const locallyRight = known && sameStep(step, careful(problem, step.key, sumBefore));
    const judged = { text: stepText(step), right, locallyRight };
    return locallyRight ? judged : { ...judged, parts: partsOf(problem, step, list[index], sumBefore) };
  });
}

/** Key, value and sum, each with what would be right behind the ones before it. */
function partsOf(problem: RunningSum, { key, value, sum }: Step, due: string | undefined, sumBefore: number) {
  const part = (text: string | number, right: string | number) =>
    text === right ? { text: String(text) } : { text: String(text), instead: String(right) };
  return [
    part(key, due ?? key),
    part(value, problem.keys.includes(key) ? lookUp(problem, key) : value),
    part(sum, digit(sumBefore + value)),
  ];
}

const PIECE = /([a-p])(\d)(\d)([=!]?)/g;

/** Reads `work[~check]:answer[verdict]`; fillers may stand anywhere; `!` behind a step of the work takes it back. */
function readReply(problem: RunningSum, text: string): Reading {
  const [work = '', check = ''] = text.replaceAll('.', '').split('~', 2);
  const steps = [...work.matchAll(PIECE)].filter((piece) => piece[4] !== '!').map(([piece]) => stepOf(piece));
  const marks = [...check.matchAll(PIECE)].map((piece) => (piece[4] === '!' ? 'wrong' : 'right'));
  const answer = text.match(/:(\d)[YN]?$/)?.[1];
  const answerRight = answer === String(solve(problem).at(-1)!.sum);
  return { steps: judge(problem, steps), marks, answer, answerRight };
}

function stepOf(text: string): Step {
  return { key: text[0]!, value: Number(text[1]), sum: Number(text[2]) };
}
