import type { Conversation } from '../conversation/conversation.ts';
import type { TokenIds } from '../engine/engine.ts';
import { type ProblemFamily, type WorkedStep, workInProgress } from '../problems/problem-family.ts';
import { asked, putIntoMouth } from './turns.ts';

/** Which wrong turn it is, or none. `own`: the model erred by itself. */
export type StartKind = 'clean' | 'right' | 'slip' | 'misconception' | 'own' | 'repeated';

/**
 * Where a model goes on from: a probe reads what it writes there, a stage teaches or rewards it. A last assistant turn
 * is open; behind a user's turn the model begins one of its own.
 */
export type Start<Problem> = {
  readonly problem: Problem;
  readonly conversation: Conversation;
  /** The steps that stand there, in the open turn or in the finished one that was challenged. */
  readonly written: readonly WorkedStep[];
  /** Whose work it is taken to be: the model's own turn, or the user's. */
  readonly saidBy: 'model' | 'user';
  readonly kind: StartKind;
  /** Wrong steps among the written ones; for `repeated`, how often the last step stands there. */
  readonly dose: number;
  /** The finished work was challenged; otherwise it is open. */
  readonly challenged: boolean;
  /** The tokens of the open turn, where the model sampled it itself: they are never put into tokens again. */
  readonly sampled?: TokenIds;
};

/** Staying put is right: nothing that stands there is wrong or once too often. */
export const isMirror = ({ kind, dose }: Pick<Start<unknown>, 'kind' | 'dose'>): boolean =>
  dose <= (kind === 'repeated' ? 1 : 0);

/** The problem, and the model's turn open behind these steps. */
export function opened<Problem>(
  family: ProblemFamily<Problem>,
  problem: Problem,
  steps: readonly WorkedStep[],
  prompt = family.prompt(problem),
): Conversation {
  return [asked(prompt), putIntoMouth(workInProgress(steps))];
}

/** The start behind open work. */
export function openStart<Problem>(
  family: ProblemFamily<Problem>,
  problem: Problem,
  written: readonly WorkedStep[],
  kind: StartKind,
  prompt = family.prompt(problem),
): Start<Problem> {
  const conversation = written.length === 0 ? [asked(prompt)] : opened(family, problem, written, prompt);
  return { problem, conversation, written, saidBy: 'model', kind, dose: wrongSteps(written), challenged: false };
}

export const wrongSteps = (steps: readonly WorkedStep[]): number => steps.filter(({ right }) => !right).length;
