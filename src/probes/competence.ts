import { createHash } from 'node:crypto';
import type { ChatModel } from '../conversation/chat-model.ts';
import { InputError } from '../errors.ts';
import type { ProblemFamily } from '../problems/problem-family.ts';
import { stream } from '../random.ts';
import { asked } from '../wrong-turns/turns.ts';

const TRIES = 4;
const NEEDED = 3;

/** Cool enough that the model shows what it can do, warm enough that the tries differ. */
const TEMPERATURE = 0.3;

export type Competence<Problem> = {
  readonly problems: readonly Problem[];
  readonly gate: CompetenceGate;
};

/** How many problems were drawn and passed, and which were drawn. */
export type CompetenceGate = { readonly drawn: number; readonly passed: number; readonly sha256: string };

/**
 * A drive can only be seen on problems that the model is able to solve: a problem is kept if it is solved in the
 * neutral condition in three of four samples. The samples that gate are never the ones that are scored.
 */
export async function competentProblems<Problem>(
  model: ChatModel,
  family: ProblemFamily<Problem>,
  count: number,
  seed: number,
): Promise<Competence<Problem>> {
  const wanted = Math.ceil(count * 1.25);
  const drawn = drawDistinct(family, Math.min(wanted, family.size ?? wanted), seed);
  const prompts = drawn.map((problem) => [asked(family.prompt(problem))]);
  const how = { maxTokens: family.replyTokens, temperature: TEMPERATURE, seed, samples: TRIES };
  const replies = await model.reply(prompts, how);
  const able = drawn.filter((problem, index) => {
    const right = replies[index]!.filter(({ text, stopReason }) => family.read(problem, text, stopReason).answerRight);
    return right.length >= NEEDED;
  });
  const gate = { drawn: drawn.length, passed: able.length, sha256: hashOf(family, drawn) };
  return { problems: able.slice(0, count), gate };
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
