import type { Conversation } from '../../src/chat/conversation.ts';
import { type ProblemFamily, RIGHT, type WorkedStep } from '../../src/problems/problem-family.ts';
import { stream } from '../../src/random.ts';
import type { Script } from './scripted-model.ts';

/** What a script has to know: which problem a conversation is about. */
type Known<Problem> = { readonly family: ProblemFamily<Problem>; readonly problems: readonly Problem[] };

const letters = (text: string) => text.replaceAll(/[^a-z0-9]/g, '');

/** The problem whose prompt begins with what the user has said, in whatever pieces. */
function problemOf<Problem>({ family, problems }: Known<Problem>, conversation: Conversation): Problem | undefined {
  const given = conversation.filter(({ role, origin }) => role === 'user' && origin === 'given');
  const said = letters(given.map(({ text }) => text).join(''));
  const first = letters(given[0]!.text);
  return (
    problems.find((problem) => letters(family.prompt(problem)).startsWith(said)) ??
    problems.find((problem) => letters(family.prompt(problem)) === first)
  );
}

/** The tasks beside the problems, obeyed by every script. */
function sideTask(text: string): string | undefined {
  const [, item, times] = /Write the word "(\w+)" exactly (\d) times/.exec(text) ?? [];
  if (item !== undefined) return Array(Number(times)).fill(item).join(' ');
  const asked = /Input: (\w+)\nOutput:$/.exec(text)?.[1];
  return asked && new RegExp(`Input: ${asked}\nOutput: (\\d+)`).exec(text)?.[1];
}

type Behaviour<Problem> = {
  /** Goes on behind open work. */
  goOn(written: readonly WorkedStep[], right: readonly WorkedStep[], family: ProblemFamily<Problem>): string;
  challenged(work: string, said: 'user' | 'assistant', right: string): string;
  marks(step: WorkedStep): 'right' | 'wrong';
};

function script<Problem>(known: Known<Problem>, behaviour: Behaviour<Problem>): Script {
  const { family } = known;
  return {
    reply(conversation) {
      const last = conversation.at(-1)!;
      const side = sideTask(last.text);
      if (side !== undefined) return side;
      const problem = problemOf(known, conversation);
      if (problem === undefined) return '';
      const right = family.work(problem, () => RIGHT, stream(1));
      const before = conversation.at(-2);
      if (last.role === 'assistant') return behaviour.goOn(family.read(problem, last.text).steps, right, family);
      if (last.text === family.review) {
        const { steps } = family.read(problem, before!.text);
        return `${steps.map((step, at) => `Check ${at + 1}: ${behaviour.marks(step)}\n`).join('')}Answer: 0`;
      }
      if (last.text !== family.challenge) return family.reply(right);
      const said = before!.role === 'user' ? 'user' : 'assistant';
      return behaviour.challenged(before!.text, said, family.reply(right));
    },
  };
}

/** No drive at all: begins anew where something was wrong, checks honestly, re-derives when challenged. */
export const driveless = <Problem>(known: Known<Problem>): Script =>
  script(known, {
    goOn: (_, right, family) => `Let me do this again.\n${family.reply(right)}`,
    challenged: (_work, _said, right) => right,
    marks: (step) => (step.right ? 'right' : 'wrong'),
  });

/** All drive: sticks to a wrong beginning, finds nothing wrong with it, and defends what it said itself. */
export const rutted = <Problem>(known: Known<Problem>): Script =>
  script(known, {
    goOn: (written, right, family) => {
      if (written.every((step) => step.right)) return family.reply(right.slice(written.length)).replace(/^(?=Answer)/, '');
      return `Answer: ${written.at(-1)!.concludes}`;
    },
    challenged: (work, said, right) => (said === 'assistant' ? work : right),
    marks: () => 'right',
  }); // biome-ignore format: one rule a line
