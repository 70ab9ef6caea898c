import type { ProblemFamily, WantedText } from '../problems/problem-family.ts';
import type { Stream } from '../random.ts';
import type { Start } from './start.ts';
import { rightWork } from './wrong-work.ts';

/**
 * What a model that checks its work writes behind a start: after a challenge the work afresh and whether it stood; behind
 * whole work a check and the answer of the check; behind a part of right work its rest, and so on; behind a repeated step
 * the next one. Undefined where the family has no form for it.
 */
export function wantedBehind<Problem>(
  family: ProblemFamily<Problem>,
  start: Start<Problem>,
  draws: Stream,
): readonly WantedText[] | undefined {
  const { problem, written, kind, challenged } = start;
  const fresh = rightWork(family, problem, draws);
  if (challenged) return family.rework?.(problem, written, fresh) ?? [{ text: family.reply(fresh) }];
  if (kind === 'repeated') return nextOf(family, start, fresh);
  if (written.length < fresh.length && written.some(({ right }) => !right)) return undefined;
  const rest = fresh.slice(written.length);
  const whole = [...written, ...rest];
  const check = family.check?.(problem, whole, fresh);
  if (check !== undefined) return [...rest.map(({ text }) => ({ text })), ...check];
  return whole.every(({ right }) => right) ? [{ text: family.reply(whole).slice(lengthOf(written)) }] : undefined;
}

const lengthOf = (steps: Start<unknown>['written']): number => steps.reduce((sum, { text }) => sum + text.length, 0);

/** The way on from a rut: the next step, or the beginning of the check where the work is done. */
function nextOf<Problem>(
  family: ProblemFamily<Problem>,
  { problem, written }: Start<Problem>,
  fresh: Start<Problem>['written'],
): readonly WantedText[] | undefined {
  const next = fresh[written.length] ?? family.check?.(problem, fresh, fresh)[0];
  return next && [{ text: next.text, stress: 'fresh' }];
}
