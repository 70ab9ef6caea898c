import { createHash } from 'node:crypto';
import type { ChatModel, Reply } from '../conversation/chat-model.ts';
import { InputError } from '../errors.ts';
import { outcomeOf, type ProblemFamily } from '../problems/problem-family.ts';
import { stream } from '../random.ts';
import type { CompetenceGate } from '../results/probe-report.ts';
import { asked } from '../wrong-turns/turns.ts';

const TRIES = 4;
const NEEDED = 3;

/** Cool enough that the model shows what it can do, warm enough that the tries differ. */
const TEMPERATURE = 0.3;

/** Replies to as many tokens are asked for at once: small enough that progress shows and an interrupt is heard. */
const TOKENS_AT_ONCE = 16_384;

/** Parts in flight: one would leave workers idle. */
const AT_ONCE = 2;

export type Competence<Problem> = {
  /** Problems that the model solves. */
  readonly problems: readonly Problem[];
  /** Problems that were drawn and are not solved. */
  readonly unsolved: readonly Problem[];
  readonly gate: CompetenceGate;
};

/** The share that is done, in [0, 1]. It throws on Ctrl-C. */
export type Progress = (share: number) => void;

/**
 * A drive can only be seen on problems that the model is able to solve: a problem is kept if it is solved in the
 * neutral condition in three of four samples. The samples that gate are never the ones that are scored.
 */
export async function competentProblems<Problem>(
  model: ChatModel,
  family: ProblemFamily<Problem>,
  count: number,
  seed: number,
  progress?: Progress,
): Promise<Competence<Problem>> {
  const wanted = Math.ceil(count * 1.25);
  const drawn = drawDistinct(family, Math.min(wanted, family.size ?? wanted), seed);
  const replies = await tries(model, family, drawn, seed, progress);
  const judged = drawn.map((problem, at) => ({ problem, tried: replies[at]!.map((reply) => tried(family, problem, reply)) }));
  const solved = judged.map((one) => one.tried.filter(({ outcome }) => outcome === 'right').length >= NEEDED);
  const able = drawn.filter((_, at) => solved[at]);
  const gate = { drawn: drawn.length, passed: able.length, sha256: hashOf(family, drawn), ...seen(judged.flatMap((one) => one.tried)) };
  return { problems: able.slice(0, count), unsolved: drawn.filter((_, at) => !solved[at]), gate };
} // biome-ignore format: one line a statement

/** `TRIES` replies to each problem, asked for part by part; the draws are those of one call. */
async function tries<Problem>(
  model: ChatModel,
  family: ProblemFamily<Problem>,
  problems: readonly Problem[],
  seed: number,
  progress: Progress = () => {},
): Promise<Reply[][]> {
  const size = Math.max(1, Math.floor(TOKENS_AT_ONCE / (family.replyTokens * TRIES)));
  const starts = Array.from({ length: Math.ceil(problems.length / size) }, (_, part) => part * size);
  const replies: Reply[][] = [];
  const queue = starts.values();
  const failures: unknown[] = [];
  let done = 0;
  const ask = async (): Promise<void> => {
    for (const first of queue) {
      if (failures.length > 0) return;
      const prompts = problems.slice(first, first + size).map((problem) => [asked(family.prompt(problem))]);
      const how = { maxTokens: family.replyTokens, temperature: TEMPERATURE, seed, samples: TRIES, place: first };
      for (const [at, samples] of (await model.reply(prompts, how)).entries()) replies[first + at] = samples;
      done += prompts.length;
      progress(done / problems.length);
    }
  };
  // after a failure what is in flight is heard out: it may have been paid for
  await Promise.all(Array.from({ length: AT_ONCE }, () => ask().catch((error) => failures.push(error))));
  if (failures.length > 0) throw failures[0];
  return replies;
}

type Tried = { readonly outcome: 'right' | 'wrong' | 'unreadable'; readonly text: string };

function tried<Problem>(family: ProblemFamily<Problem>, problem: Problem, { text, stopReason }: Reply): Tried {
  return { outcome: outcomeOf(family.read(problem, text, stopReason)), text };
}

/** Characters of a reply that are shown. */
const SHOWN = 400;

/** How the replies came out, and one of those that came out most often without being right. */
function seen(replies: readonly Tried[]): Pick<CompetenceGate, 'replies' | 'shown'> {
  const count = (outcome: Tried['outcome']): number => replies.filter((one) => one.outcome === outcome).length;
  const counts = { right: count('right'), wrong: count('wrong'), unreadable: count('unreadable') };
  const commonest = counts.unreadable > counts.wrong ? 'unreadable' : 'wrong';
  const one = replies.find(({ outcome }) => outcome === commonest);
  return { replies: counts, ...(one && { shown: { outcome: commonest, text: one.text.slice(0, SHOWN) } }) };
}

/** So many draws in a row without a new problem, and there are none left. */
const REPEATS = 2000;

/** Distinct test problems. @throws InputError where the family does not have so many. */
export function drawDistinct<Problem>(family: ProblemFamily<Problem>, count: number, seed: number): Problem[] {
  const draws = stream(seed, 'test problems', family.name);
  const problems = new Map<string, Problem>();
  for (let repeats = 0; problems.size < count; repeats++) {
    const before = problems.size;
    const problem = family.drawTest(draws);
    problems.set(family.id(problem), problem);
    if (problems.size > before) repeats = 0;
    if (repeats > REPEATS) throw tooFew(family.name, problems.size, count);
  }
  return [...problems.values()];
}

function tooFew(family: string, found: number, wanted: number): InputError {
  return new InputError(
    `${family}: only ${found} different test problems, and ${wanted} are to be drawn; widen its dials or ask for fewer --problems`,
  );
}

/** Of problems in their order. */
export function hashOf<Problem>(family: ProblemFamily<Problem>, problems: readonly Problem[]): string {
  const ids = problems.map((problem) => family.id(problem));
  return createHash('sha256').update(JSON.stringify(ids)).digest('hex');
}
