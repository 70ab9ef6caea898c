import { createHash } from 'node:crypto';
import type { Conversation } from '../conversation/conversation.ts';
import { UnrutError } from '../errors.ts';
import type { ProblemFamily } from '../problems/problem-family.ts';
import type { Start } from './start.ts';

/**
 * The one thing in which two conversations differ:
 * - `role`: the same injected bytes in somebody else's turn,
 * - `text`: other injected bytes in the same role,
 * - `delivery`: the same user words, cut into turns in another way.
 */
export type Difference = 'role' | 'text' | 'delivery';

/**
 * A counterfactual pair: everything but one thing is byte-identical, so a difference in the model's behaviour has one
 * cause. `shared` is the SHA-256 of what the sides have in common, equal on both by construction and checked.
 */
export type Pair<Side = Conversation> = {
  readonly problem: string;
  readonly differsIn: Difference;
  /** The side where nothing is in the model's way. */
  readonly control: Side;
  /** The side with the wrong turn. */
  readonly treated: Side;
  readonly shared: string;
};

/** @throws UnrutError when the sides differ in anything else, or do not differ. */
export function makePair(problem: string, differsIn: Difference, control: Conversation, treated: Conversation): Pair {
  const shared = sharedHash(differsIn, control);
  if (shared !== sharedHash(differsIn, treated)) {
    throw new UnrutError(`pair on problem ${problem}: the sides differ in more than their ${differsIn}`);
  }
  if (JSON.stringify(control) === JSON.stringify(treated)) {
    throw new UnrutError(`pair on problem ${problem}: the sides do not differ`);
  }
  return { problem, differsIn, control, treated, shared };
}

/** Two starts as a pair. @throws UnrutError as {@link makePair} does. */
export function pairOfStarts<Problem>(
  family: ProblemFamily<Problem>,
  differsIn: Difference,
  control: Start<Problem>,
  treated: Start<Problem>,
): Pair<Start<Problem>> {
  const pair = makePair(family.id(treated.problem), differsIn, control.conversation, treated.conversation);
  return { ...pair, control, treated };
}

function sharedHash(differsIn: Difference, conversation: Conversation): string {
  return createHash('sha256')
    .update(JSON.stringify(sharedPart(differsIn, conversation)))
    .digest('hex');
}

function sharedPart(differsIn: Difference, conversation: Conversation): unknown {
  if (differsIn === 'delivery') return conversation.map(({ text }) => text.replaceAll(/[^a-z0-9|]/g, '')).join('');
  return conversation.map((turn) => {
    if (turn.origin !== 'injected') return turn;
    return differsIn === 'role' ? { text: turn.text } : { role: turn.role };
  });
}
