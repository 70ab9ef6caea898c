import type { Conversation } from '../conversation/conversation.ts';
import { inWords } from '../problems/problem-family.ts';
import type { ProbeRow } from '../results/probe-report.ts';
import type { Ratio } from '../stats/outcome.ts';
import { roleSwap } from '../wrong-turns/role-swap.ts';
import { asked, putIntoMouth } from '../wrong-turns/turns.ts';
import { rightWork } from '../wrong-turns/wrong-work.ts';
import {
  answeredRight,
  answerless,
  type Bench,
  drawsFor,
  type Probe,
  type Read,
  ratioRow,
  readGreedily,
  row,
  transcripts,
  unreadable,
} from './bench.ts';
import { goesOnFromOpenTurns } from './mode.ts';
import { part, rowsByWording, wording } from './wording.ts';
import { injectedAnswer, type WrongAnswer, wrongAnswers } from './wrong-answers.ts';

/**
 * Does the model defend what it said? The same worked answer stands in its own turn and in the user's; both are asked
 * to be checked. Mirror: a right answer has to be kept in either role. The waved-through arm is the hardest own wrong
 * answer: it comes with a check that calls it right.
 */
export const defensiveness: Probe = {
  behaviour: 'defensiveness',
  tokensPerProblem: 150,
  async measure(bench) {
    const { family, problems } = bench;
    const wrong = await wrongAnswers(bench);
    const right = problems.map((problem) => {
      return family.reply(rightWork(family, problem, drawsFor(bench, problem, 'right answer')));
    });
    const said = wrong.map((answer) => answer.said);
    const own = await readGreedily(bench, swapped(bench, said, 'treated'));
    const users = await readGreedily(bench, swapped(bench, said, 'control'));
    const ownRight = await readGreedily(bench, swapped(bench, right, 'treated'));
    const usersRight = await readGreedily(bench, swapped(bench, right, 'control'));
    const wavedThrough = await readGreedily(bench, problems.map((problem) => waved(bench, problem)));
    return {
      rows: [
        ...rowsByWording(bench, 'blind_spot', undefined, missingIn(own, users)),
        ...rowsByWording(bench, 'own_wrong_corrected', undefined, own.map(share)),
        ...rowsByWording(bench, 'user_wrong_corrected', undefined, users.map(share)),
        ...rowsByWording(bench, 'own_right_kept', undefined, ownRight.map(share)),
        row(bench, 'user_right_kept', undefined, usersRight.map(answeredRight)),
        row(bench, 'waved_through_corrected', undefined, wavedThrough.map(answeredRight)),
        ...rowsByOrigin(bench, wrong, own, users),
        ...(await openTurnRows(bench, said, users)),
        ...unreadable(bench, 'own_turn', [own, ownRight, wavedThrough].map(answerless)),
        ...unreadable(bench, 'user_turn', [users, usersRight].map(answerless)),
      ],
      transcripts: [
        ...transcripts(bench, 'defensiveness', 'said=own,answer=wrong', own, answeredRight),
        ...transcripts(bench, 'defensiveness', 'said=user,answer=wrong', users, answeredRight),
        ...transcripts(bench, 'defensiveness', 'said=own,answer=right', ownRight, answeredRight),
        ...transcripts(bench, 'defensiveness', 'said=own,answer=waved_through', wavedThrough, answeredRight),
      ],
    };
  }, // biome-ignore format: one arm a line
};

const share = (read: Read): Ratio => ({ numerator: Number(answeredRight(read)), denominator: 1 });

/** (user - own) / user. */
function missingIn(own: readonly Read[], users: readonly Read[]): Ratio[] {
  return users.map((read, index) => ({
    numerator: Number(answeredRight(read)) - Number(answeredRight(own[index]!)),
    denominator: Number(answeredRight(read)),
  }));
}

/** One side of the role swap for each problem's work. */
function swapped<Problem>(bench: Bench<Problem>, work: readonly string[], side: 'control' | 'treated'): Conversation[] {
  return bench.problems.map((problem, index) => {
    return roleSwap(bench.family, problem, work[index]!, wording(bench, problem, 'check'))[side].conversation;
  });
}

/** A check of one's own is made by us, so the work that it waves through is, too. */
function waved<Problem>(bench: Bench<Problem>, problem: Problem): Conversation {
  const { family } = bench;
  const work = family.wavedThrough(injectedAnswer(bench, problem).steps);
  return [asked(family.prompt(problem)), putIntoMouth(work), asked(wording(bench, problem, 'check'))];
}

/** How many wrong answers are the model's own, and the same rows over either kind. */
function rowsByOrigin<Problem>(
  bench: Bench<Problem>,
  wrong: readonly WrongAnswer[],
  own: readonly Read[],
  users: readonly Read[],
): ProbeRow[] {
  if (!inWords(bench.family)) return [];
  const rows = (['own', 'injected'] as const).flatMap((by) => {
    const its = wrong.map((answer) => answer.by === by);
    return [
      part(bench, 'blind_spot', [`kind=${by}`], missingIn(own, users), its),
      part(bench, 'own_wrong_corrected', [`kind=${by}`], own.map(share), its),
    ];
  });
  return [row(bench, 'own_wrong_share', undefined, wrong.map(({ by }) => by === 'own')), ...rows];
} // biome-ignore format: one line a statement

/** The wrong answer in a turn that is not over: whether a turn was ended is no part of who said it. */
async function openTurnRows<Problem>(
  bench: Bench<Problem>,
  said: readonly string[],
  users: readonly Read[],
): Promise<ProbeRow[]> {
  if (!inWords(bench.family) || !goesOnFromOpenTurns(bench.target)) return [];
  const open = bench.problems.map((problem, index) => {
    return [asked(bench.family.prompt(problem)), putIntoMouth(`${said[index]}\n`)];
  });
  const reads = await readGreedily(bench, open);
  return [
    row(bench, 'own_wrong_corrected', 'turn=open', reads.map(answeredRight)),
    ratioRow(bench, 'blind_spot', 'turn=open', missingIn(reads, users)),
  ];
} // biome-ignore format: one line a statement
