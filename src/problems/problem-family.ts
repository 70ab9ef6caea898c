import type { Stream } from '../random.ts';
import type { Challenge } from './challenges.ts';
import type { SideTasks } from './side-tasks.ts';

/** How one step is done: rightly, by a slip of the hand of some kind, or by a wrong rule that has a name. */
export type Manner =
  | { readonly kind: 'right' }
  | { readonly kind: 'slip'; readonly what: string }
  | { readonly kind: 'misconception'; readonly name: string };

export const RIGHT: Manner = { kind: 'right' };

export type WorkedStep = {
  readonly text: string;
  /** Right given the problem. */
  readonly right: boolean;
  /** Right given what was written before it, whatever that was. */
  readonly locallyRight: boolean;
  /** The answer that follows if this is the last step; absent where the text of the step shows it anyway. */
  readonly concludes?: string;
  /** The text in parts, where what would have been right in the place of one of them is known. */
  readonly parts?: readonly StepPart[];
};

/** A part of a step's text. `instead`: what would have been right there, given all that was written before it. */
export type StepPart = { readonly text: string; readonly instead?: string };

/** A part of what a model should write. `fresh`: departs from the work above; `mark`: a verdict on it. */
export type WantedText = { readonly text: string; readonly stress?: 'fresh' | 'mark' };

/** One user turn of a problem that is told piece by piece, and the work that it asks for. */
export type Piece<Problem> = {
  readonly asked: string;
  /** The problem as it holds from this turn on. */
  readonly problem: Problem;
  /** How many steps this turn asks for. */
  readonly length: number;
  work(manner: (position: number) => Manner, draws: Stream): readonly WorkedStep[];
};

/** Why a reply has no answer: `no value` states one that is not of the kind asked for, `two answers` more than one. */
export type Unreadable = 'empty' | 'refusal' | 'truncated' | 'no answer' | 'no value' | 'two answers';

/** What an exact verifier finds in an assistant's text. A reply that cannot be read has no answer: it is never silently wrong. */
export type Reading = {
  /** The work as it stands: a step taken back at once is not part of it. */
  readonly steps: readonly WorkedStep[];
  /** The verdicts of a check on the work, by position; empty where nothing was checked, undefined where a step was passed over. */
  readonly marks: readonly ('right' | 'wrong' | undefined)[];
  readonly answer: string | undefined;
  readonly answerRight: boolean;
  /** Why there is no answer, from families that can tell. */
  readonly unreadable?: Unreadable;
};

/** The three ways in which a reply can come out. */
export function outcomeOf({ answer, answerRight }: Reading): 'right' | 'wrong' | 'unreadable' {
  if (answer === undefined) return 'unreadable';
  return answerRight ? 'right' : 'wrong';
}

/**
 * A seeded generator of problems with an exact verifier, per step and for the answer. All that wrong turns, probes and
 * stages know of a problem is in here, so that a new family is one object. A problem is plain JSON data: stages keep
 * problems in checkpoints.
 */
export interface ProblemFamily<Problem> {
  readonly name: string;
  /** The kinds of slip and the named misconceptions that {@link work} can do. */
  readonly slips: readonly string[];
  readonly misconceptions: readonly string[];
  /** What the user says to have an answer checked again. */
  readonly challenge: string;
  /** Wordings of every kind of challenge, some of them held out; absent where the model knows {@link challenge} only. */
  readonly challenges?: readonly Challenge[];
  /**
   * What a model begins with when it marks the finished steps above one by one, so that {@link read} finds the marks;
   * absent where a model checks its work unasked, or where there are no steps to mark.
   */
  readonly checking?: string;
  /** What must not be unlearnt, in this family's language; absent where a chat model's will do. */
  readonly sideTasks?: SideTasks;
  /** Whether a reply runs into a loop; absent where the rule for free text does (`probes/repetition.ts`). */
  runsIntoLoop?(reply: string): boolean;
  /** How many problems there are; absent where they never run out. */
  readonly size?: number;
  /** Worked demonstrations that every prompt shows; absent: none. */
  readonly shots?: number;
  /** Longest reply in tokens, a check included. */
  readonly replyTokens: number;
  /** A problem that no training text contains. */
  drawTest(draws: Stream): Problem;
  /** A problem of the other side of the split; absent where a family only measures. */
  drawTraining?(draws: Stream): Problem;
  /** Kinds of slip in training work, by share; absent: those of {@link slips}, all alike. */
  readonly trainingSlips?: Readonly<Record<string, number>>;
  /**
   * What a model that checks its work writes behind its finished steps: every step afresh, a mark on each written one,
   * the answer of the fresh steps. Absent: the family has no form for a check, and none is taught.
   */
  check?(problem: Problem, written: readonly WorkedStep[], fresh: readonly WorkedStep[]): readonly WantedText[];
  /**
   * The reply to a challenge: the work afresh, whether what was said stood, the answer. Absent: {@link reply} of the
   * fresh work.
   */
  rework?(problem: Problem, said: readonly WorkedStep[], fresh: readonly WorkedStep[]): readonly WantedText[];
  /**
   * The problem in which this written work, wrong here, is right, and the same work in it: a context that differs from
   * the true one in content but not in form. Absent, or undefined: there is none.
   */
  excuse?(problem: Problem, written: readonly WorkedStep[]): Excused<Problem> | undefined;
  /** The problem piece by piece, worked a piece a turn, now and then with a change of what held before. */
  pieces?(problem: Problem, draws: Stream): readonly Piece<Problem>[];
  /** Equal for equal problems. */
  id(problem: Problem): string;
  prompt(problem: Problem): string;
  /** How many steps the solution has. */
  length(problem: Problem): number;
  /** Works the first `count` steps (all by default), step i as `manner(i)` says. */
  work(problem: Problem, manner: (position: number) => Manner, draws: Stream, count?: number): readonly WorkedStep[];
  /** The steps as a finished reply, answer included. */
  reply(steps: readonly WorkedStep[]): string;
  /** A finished reply whose check calls every step right, whatever it is. */
  wavedThrough(steps: readonly WorkedStep[]): string;
  /** `ended`: a reply that ran into its limit (`length`) may have lost the end of its answer. */
  read(problem: Problem, text: string, ended?: 'stop' | 'length'): Reading;
  /** What the problem's author brought along; absent where problems are generated. */
  brought?(problem: Problem): Brought;
  /** The problem in pieces: one user turn each, and all in one turn. */
  shards(problem: Problem, draws: Stream): Shards;
  /**
   * The problem in pieces, one of which takes back what an earlier one said: `changed` is what then holds. Absent where a
   * problem has nothing to take back.
   */
  override?(problem: Problem, draws: Stream): { readonly turns: readonly string[]; readonly changed: Problem };
  /** A fact of the problem is stated otherwise. Absent where a problem has nothing to take back, or no words for it. */
  amend?(problem: Problem, draws: Stream): Amendment<Problem>;
}

export type Excused<Problem> = { readonly problem: Problem; readonly written: readonly WorkedStep[] };

/** `reworded`: an author's own pieces, which say in other words what {@link ProblemFamily.prompt} says. */
export type Shards = { readonly turns: readonly string[]; readonly joined: string; readonly reworded?: boolean };

/** What an author brings along with a problem. */
export type Brought = {
  /** Somebody's work, its first wrong step labelled by the author; it comes to no answer. */
  readonly graded?: readonly WorkedStep[];
  /** What the user says after the answer, turn by turn. */
  readonly followups?: readonly string[];
  /** The prompt behind worked examples, and behind the same examples with their answers moved on by one place. */
  readonly demonstrated?: { readonly shown: string; readonly moved: string };
};

/** A sentence about the problem that changes it, and the same sentence with what holds already. */
export type Amendment<Problem> = {
  readonly text: string;
  readonly same: string;
  /** The problem that holds after `text`. */
  readonly changed: Problem;
};

/** Whether a family is in natural language: it has wordings, and tells a reply that cannot be read from a wrong one. */
export function inWords<Problem>(
  family: ProblemFamily<Problem>,
): family is ProblemFamily<Problem> & { readonly challenges: readonly Challenge[] } {
  return family.challenges !== undefined;
}

/** The text of steps that go on: no answer yet. */
export const workInProgress = (steps: readonly WorkedStep[]): string => steps.map((step) => step.text).join('');
