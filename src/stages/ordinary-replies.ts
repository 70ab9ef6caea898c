import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { startTokens, type WeightedDatum } from '../chat/lesson.ts';
import type { TokenIds } from '../engine/engine.ts';
import { InputError } from '../errors.ts';
import { ORDINARY_PROMPTS } from '../problems/ordinary-prompts.ts';
import { type Stream, stream } from '../random.ts';
import { asked } from '../wrong-turns/turns.ts';
import type { StageContext } from './stage.ts';

/** Longest reply. */
export const REPLY_TOKENS = 96;

/** Replies are sampled anew after this many steps: the same few would be learnt by heart. */
const REFRESH = 25;

/** A pool holds this many times as many replies as a step draws. */
const POOL = 3;

const poolSchema = z.array(z.strictObject({ prompt: z.array(z.int()), reply: z.array(z.int()) }));
type Pool = z.output<typeof poolSchema>;

/** What the frozen reference replies to ordinary prompts at T = 1: the text that it must go on writing. */
export async function openReplies(
  context: StageContext,
  { documents, prompts }: { readonly documents: number; readonly prompts?: string | undefined },
): Promise<(draws: Stream, step: number) => Promise<WeightedDatum[]>> {
  const questions = prompts === undefined ? ORDINARY_PROMPTS : await readPrompts(context.file(prompts));
  let pool: Pool | undefined;
  return async (draws, step) => {
    if (step % REFRESH === 0) {
      pool = await sampleReplies(context, questions, POOL * documents, step);
      await context.remember('ordinary replies', pool);
    }
    pool ??= (await context.recall('ordinary replies', poolSchema)) ?? [];
    const known = pool;
    return known.length === 0 ? [] : Array.from({ length: documents }, () => replyDatum(draws.pick(known)));
  };
}

async function readPrompts(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new InputError(`${path}: cannot be read (${error.code}); replay.prompts names a text file, a prompt a line`);
  });
  const prompts = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (prompts.length > 0) return prompts;
  throw new InputError(`${path}: holds no prompt; write one a line`);
}

async function sampleReplies(
  { reference, format, seed }: StageContext,
  questions: readonly string[],
  count: number,
  step: number,
): Promise<Pool> {
  const draws = stream(seed, 'ordinary prompts', step);
  const prompts = Array.from({ length: count }, () => startTokens([asked(draws.pick(questions))], format));
  const how = { maxTokens: REPLY_TOKENS, temperature: 1, seed: step, samples: 1, stop: format.stop, logprobs: false };
  const sampled = await reference.sample(prompts, how);
  return sampled.map(([sequence], at) => ({ prompt: [...prompts[at]!], reply: [...sequence!.tokens] })); // one was asked for
}

/** Only the reply is kept in mind, its end included. */
function replyDatum({ prompt, reply }: { prompt: TokenIds; reply: TokenIds }): WeightedDatum {
  const tokens = [...prompt, ...reply];
  const weights = tokens.map((_, at) => (at < prompt.length ? 0 : 1));
  return { input: tokens.slice(0, -1), targets: tokens.slice(1), weights: weights.slice(1) };
}
