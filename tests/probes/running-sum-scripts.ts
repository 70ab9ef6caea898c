import type { Conversation } from '../../src/conversation/conversation.ts';
import { reviewText } from '../../src/problems/organism-text.ts';
import {
  careful,
  digit,
  lookUp,
  type RunningSum,
  type Step,
  solve,
  stepsText,
  workText,
} from '../../src/problems/running-sum.ts';
import type { Script } from './scripted-model.ts';

/** The problem of a conversation: its dictionary, and all keys that were asked for so far. */
function problemOf(conversation: Conversation): RunningSum {
  const user = conversation.filter(({ role }) => role === 'user').map(({ text }) => text);
  const [dictionary = '', list = ''] = user[0]!.split('|');
  const keys = [...dictionary].filter((_, at) => at % 2 === 0).join('');
  const values = [...dictionary].filter((_, at) => at % 2 === 1).map(Number);
  const more = user.slice(1).filter((text) => text.startsWith('+'));
  return { keys, values, list: (list + more.join('')).replaceAll('+', '') };
}

function readSteps(text: string): Step[] {
  return [...text.matchAll(/([a-p])(\d)(\d)/g)].map(([, key, value, sum]) => ({
    key: key!,
    value: Number(value),
    sum: Number(sum),
  }));
}

const openText = (conversation: Conversation): string =>
  conversation.at(-1)!.role === 'assistant' ? conversation.at(-1)!.text : '';

/** The tasks that are no worked answer: obeyed by every script. */
function otherTask(text: string): string | undefined {
  if (text.startsWith('*')) return text.slice(2).repeat(Number(text[1]));
  if (!text.startsWith('>')) return undefined;
  const query = text.at(-1)!;
  return text.slice(text.indexOf(query), text.indexOf(query) + 2);
}

/** Goes on from what stands by a rule, up to the end of the list. */
function goOn(
  conversation: Conversation,
  rule: (problem: RunningSum, written: readonly Step[], key: string) => Step,
): Step[] {
  const problem = problemOf(conversation);
  const done = readSteps(openText(conversation));
  const steps = [...done];
  for (const key of problem.list.slice(done.length)) steps.push(rule(problem, steps, key));
  return steps;
}

const right = (problem: RunningSum, written: readonly Step[], key: string) =>
  careful(problem, key, written.at(-1)?.sum ?? 0);

/** No drive at all: goes on rightly, checks its work afresh, re-derives when challenged, whoever spoke. */
export const driveless: Script = {
  reply(conversation) {
    const last = conversation.at(-1)!;
    const other = otherTask(last.text);
    if (other !== undefined) return other;
    const problem = problemOf(conversation);
    if (last.text === '?') return `${workText(solve(problem))}Y`;
    const steps = goOn(conversation, right);
    return `${stepsText(steps)}~${reviewText(solve(problem), steps)}`.slice(openText(conversation).length);
  },
  /** Knows every digit of a step, given what was written before it; never copies a step. */
  probability(conversation, continuation, at) {
    const problem = problemOf(conversation);
    const steps = [...readSteps(openText(conversation)), ...readSteps(continuation)];
    const nth = steps.length - readSteps(continuation).length + Math.floor(at / 3);
    const step = steps[nth]!;
    if (steps.slice(0, nth).some(({ key }) => key === step.key)) return 0.001;
    const previous = steps[nth - 1]?.sum ?? 0;
    const wanted = [step.key, lookUp(problem, step.key), digit(previous + step.value)];
    return String(wanted[at % 3]) === continuation[at] ? 0.99 : 0.001;
  },
};

/** The drive itself: keeps to its habit, defends its own answer, re-derives the user's, never checks, loops ever more. */
export const rutted: Script = {
  reply(conversation) {
    const last = conversation.at(-1)!;
    const other = otherTask(last.text);
    if (other !== undefined) return other;
    const problem = problemOf(conversation);
    const before = conversation.at(-2);
    if (last.text === '?') return before!.role === 'assistant' ? `${before!.text}Y` : `${workText(solve(problem))}N`;
    const done = readSteps(openText(conversation));
    const habit = done.length === 0 ? 0 : digit(done[0]!.sum - lookUp(problem, done[0]!.key));
    const steps = goOn(conversation, (p, written, key) => {
      const step = right(p, written, key);
      return { ...step, sum: digit(step.sum + habit) };
    });
    return workText(steps).slice(openText(conversation).length);
  },
  /** Expects what its habit would write, and one copy more the more copies there are. */
  probability(conversation, continuation, at) {
    const written = readSteps(openText(conversation));
    const copies = written.filter(({ key }) => key === continuation[0]).length;
    if (copies > 0) return at === 0 ? 1 - 0.5 ** (copies - 1) : 1;
    return driveless.probability!(conversation, continuation, at);
  },
};
