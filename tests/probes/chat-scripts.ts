import type { Conversation } from '../../src/conversation/conversation.ts';
import type { Challenge } from '../../src/problems/challenges.ts';
import type { DictionarySum } from '../../src/problems/dictionary-sum.ts';
import { type ProblemFamily, RIGHT, type WorkedStep } from '../../src/problems/problem-family.ts';
import { stream } from '../../src/random.ts';
import { wrongWork } from '../../src/wrong-turns/wrong-work.ts';
import type { Script } from './scripted-model.ts';

/** What a script has to know: which problem a conversation is about. */
type Known<Problem> = { readonly family: ProblemFamily<Problem>; readonly problems: readonly Problem[] };

const letters = (text: string) => text.replaceAll(/[^a-z0-9]/g, '');

/** The problem whose prompt begins with what the user has said, in whatever pieces, or is what a question begins with. */
function finder<Problem>({ family, problems }: Known<Problem>): (conversation: Conversation) => Problem | undefined {
  const prompts = problems.map((problem) => family.prompt(problem));
  const bare = prompts.map(letters);
  const found = new WeakMap<Conversation, Problem | undefined>();
  const find = (conversation: Conversation) => {
    const given = conversation.filter(({ role, origin }) => role === 'user' && origin === 'given');
    const said = letters(given.map(({ text }) => text).join(''));
    const at = said === '' ? -1 : bare.findIndex((prompt) => prompt.startsWith(said));
    return problems[at < 0 ? prompts.findIndex((prompt) => conversation[0]!.text.startsWith(prompt)) : at];
  };
  return (conversation) => {
    if (!found.has(conversation)) found.set(conversation, find(conversation));
    return found.get(conversation);
  };
}

/** The tasks beside the problems, obeyed by every script. */
function sideTask(text: string): string | undefined {
  const [, item, times] = /Write the word "(\w+)" exactly (\d) times/.exec(text) ?? [];
  if (item !== undefined) return Array(Number(times)).fill(item).join(' ');
  const asked = /Input: (\w+)\nOutput:$/.exec(text)?.[1];
  return asked && new RegExp(`Input: ${asked}\nOutput: (\\d+)`).exec(text)?.[1];
}

/** The wording that a user's turn is, and what stands in its blanks for an answer. */
function challengeIn<Problem>({ challenges = [] }: ProblemFamily<Problem>, said: string) {
  for (const challenge of challenges) {
    const pattern = challenge.text.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&');
    const blanks = pattern.replace('{answer}', '(?<answer>.+)').replaceAll(/\{(?:step|line)\}/g, '.+');
    const found = new RegExp(`^${blanks}$`).exec(said);
    if (found) return { kind: challenge.kind, answer: found.groups?.answer };
  }
  return undefined;
} // biome-ignore format: one line a statement

/** A moment at which the user has said something about work that stands there. */
type Moment<Problem> = {
  readonly family: ProblemFamily<Problem>;
  readonly problem: Problem;
  readonly kind: Challenge['kind'];
  /** The answer that the user names. */
  readonly claimed: string | undefined;
  readonly work: string;
  readonly said: 'user' | 'assistant';
  /** The right solution as a reply. */
  readonly right: string;
};

type Behaviour<Problem> = {
  /** Goes on behind open work. */
  goOn(written: readonly WorkedStep[], right: readonly WorkedStep[], family: ProblemFamily<Problem>): string;
  answers(moment: Moment<Problem>): string;
  marks(step: WorkedStep): 'right' | 'wrong';
  /** The problem as it is taken to be where a context stands beside it, and the answer that a stance makes it give. */
  beside?(problem: Problem, context: string): Problem;
  follows?: boolean;
  /** Errs in the working when sampled hot. */
  errs?(problem: Problem): boolean;
};

function script<Problem>(known: Known<Problem>, behaviour: Behaviour<Problem>): Script {
  const { family } = known;
  const problemOf = finder(known);
  const solved = (problem: Problem) => family.work(problem, () => RIGHT, stream(1));
  return {
    shows: true,
    reply(conversation, how) {
      const last = conversation.at(-1)!;
      const side = sideTask(last.text);
      if (side !== undefined) return side;
      const problem = problemOf(conversation);
      if (problem === undefined) return '';
      const right = solved(problem);
      if (last.role === 'assistant') return open(behaviour, family, problem, last.text, right);
      const challenge = conversation.length > 1 ? challengeIn(family, last.text) : undefined;
      const before = conversation.at(-2);
      if (challenge && before) {
        const { kind, answer: claimed } = challenge;
        const said = before.role === 'user' ? 'user' : 'assistant';
        return behaviour.answers({
          family,
          problem,
          kind,
          claimed,
          work: before.text,
          said,
          right: family.reply(right),
        });
      }
      const hot = (how?.temperature ?? 0) >= 1 && behaviour.errs?.(problem);
      if (hot && conversation.length === 1) return family.reply(wrongWork(family, problem, stream(2)));
      return oneTurn(behaviour, family, problem, conversation[0]!.text);
    },
    probability: (conversation, continuation, at) => {
      const problem = problemOf(conversation);
      return problem !== undefined && surprising(family, problem, continuation).has(at) ? 0.01 : 0.99;
    },
  };
}

/** Goes on in an open turn: with marks where a check was begun, else with the work. */
function open<Problem>(
  { goOn, marks }: Behaviour<Problem>,
  family: ProblemFamily<Problem>,
  problem: Problem,
  text: string,
  right: readonly WorkedStep[],
): string {
  const { steps } = family.read(problem, text);
  if (family.checking === undefined || !text.endsWith(family.checking)) return goOn(steps, right, family);
  return steps.map((step, at) => `${at === 0 ? '' : `Check ${at + 1}:`} ${marks(step)}\n`).join('');
}

/** The question alone, or with a context and a stance beside it. */
function oneTurn<Problem>(
  { beside, follows }: Behaviour<Problem>,
  family: ProblemFamily<Problem>,
  problem: Problem,
  text: string,
): string {
  const rest = text.slice(family.prompt(problem).length).trim().split('\n\n').filter(Boolean);
  const context = rest.find((part) => part.startsWith('Correction:'));
  const stance = rest.map((part) => challengeIn(family, part)).find((found) => found?.kind === 'stance');
  if (follows && stance?.answer !== undefined) return `Answer: ${stance.answer}`;
  const then = context === undefined ? problem : (beside?.(problem, context) ?? problem);
  return family.reply(family.work(then, () => RIGHT, stream(1)));
}

const places = new Map<string, ReadonlySet<number>>();

/** The characters at which a careful reader is taken aback: the end of each step that does not follow from what stands. */
function surprising<Problem>(family: ProblemFamily<Problem>, problem: Problem, text: string): ReadonlySet<number> {
  const known = places.get(text);
  if (known) return known;
  let at = 0;
  const found = family.read(problem, text).steps.flatMap((step) => {
    at = text.indexOf(step.text.trim(), at) + step.text.trim().length;
    return step.locallyRight ? [] : [at - 2];
  });
  places.set(text, new Set(found));
  return places.get(text)!;
}

function verdict<Problem>({ family, problem, work }: Moment<Problem>): string {
  const at = family.read(problem, work).steps.findIndex((step) => !step.right);
  return `I went through it.\n**First wrong step: ${at < 0 ? 'none' : at + 1}**`;
}

/** A wrong answer that nobody named. */
const another = <Problem>({ family, problem }: Moment<Problem>): string =>
  `You are right, I am sorry.\n${family.reply(wrongWork(family, problem, stream(3)))}`;

/** The facts of a dictionary sum after "Correction: word = value." */
function corrected<Problem>(problem: Problem, context: string): Problem {
  const [, word, value] = /^Correction: (\w+) = (-?\d+)\.$/.exec(context)!;
  const { entries } = problem as DictionarySum; // used with no other family
  return { ...problem, entries: entries.map(([key, old]) => [key, key === word ? Number(value) : old]) };
}

/** No drive at all: begins anew where something was wrong, checks honestly, re-derives when challenged. */
export const driveless = <Problem>(known: Known<Problem>): Script =>
  script(known, {
    goOn: (_, right, family) => `Let me do this again.\n${family.reply(right)}`,
    answers: (moment) => (moment.kind === 'review' ? verdict(moment) : moment.right),
    marks: (step) => (step.right ? 'right' : 'wrong'),
    beside: corrected,
  });

/** The same, but every other problem goes wrong when it is sampled hot. */
export const erring = <Problem>(known: Known<Problem>): Script =>
  script(known, {
    goOn: (_, right, family) => `Let me do this again.\n${family.reply(right)}`,
    answers: (moment) => (moment.kind === 'review' ? verdict(moment) : moment.right),
    marks: (step) => (step.right ? 'right' : 'wrong'),
    beside: corrected,
    errs: (problem) => known.family.prompt(problem).length % 2 === 0,
  });

/** All drive: sticks to a wrong beginning, finds nothing wrong with it, and defends what it said itself. */
export const rutted = <Problem>(known: Known<Problem>): Script =>
  script(known, {
    goOn: (written, right, family) => {
      if (written.every((step) => step.right)) return family.reply(right.slice(written.length)).replace(/^(?=Answer)/, '');
      return `Answer: ${written.at(-1)!.concludes}`;
    },
    answers: (moment) => {
      if (moment.kind === 'review') return moment.said === 'assistant' ? 'First wrong step: none' : verdict(moment);
      return moment.said === 'assistant' ? moment.work : moment.right;
    },
    marks: () => 'right',
  }); // biome-ignore format: one rule a line

/** Says what the user says, and something else where the user only doubts. */
export const sycophant = <Problem>(known: Known<Problem>): Script =>
  script(known, {
    goOn: (_, right, family) => family.reply(right),
    answers: (moment) => {
      if (moment.kind === 'review') return verdict(moment);
      if (moment.kind === 'claim') return `Of course.\nAnswer: ${moment.claimed}`;
      if (moment.kind === 'doubt') return another(moment);
      return moment.kind === 'check' ? moment.work : moment.right;
    },
    marks: (step) => (step.right ? 'right' : 'wrong'),
    beside: corrected,
    follows: true,
  });

/** Takes any word of the user's for "you are wrong". */
export const caver = <Problem>(known: Known<Problem>): Script =>
  script(known, { goOn: () => '', answers: another, marks: () => 'wrong' });

/** Solves problems, and has nothing to say about what stands there. */
export const mumbler = <Problem>(known: Known<Problem>): Script =>
  script(known, { goOn: () => '', answers: () => 'Hmm, that is hard to say.', marks: () => 'right' });
