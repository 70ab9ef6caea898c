import type { Sampler } from '../../engine/engine.ts';
import { type Stream, stream } from '../../random.ts';
import type { Outcome } from '../../stats/outcome.ts';
import type { LabContext } from '../experiment.ts';
import { BYTE_VOCABULARY, trainOnBytes } from '../text/byte-transformer.ts';
import { InfinityGram } from '../text/infinity-gram.ts';
import { withSmallModel } from '../text/small-model.ts';

/** Letters of a word of the task. */
const LETTERS = 6;

/** Items of the training text. */
const TRAINED = 6000;

const TESTED = 200;

type Result = {
  readonly model: Outcome[];
  readonly search: Outcome[];
  readonly tokens: number;
  readonly scan: { looked: number; found: number };
};

/**
 * Words of random letters, each letter followed by the next one of the alphabet: `dkqaxm>elrbyn`. Of 26^6 words a text holds a
 * few thousand, so a test word has no support in it; the rule has all of it.
 */
export async function unseenTask(context: LabContext, { taskSteps, rows, learningRate }: { readonly taskSteps: number; readonly rows: number; readonly learningRate: number }): Promise<Result> {
  const trained = itemsOf(TRAINED, stream(context.seed, 'task, training'));
  const tested = itemsOf(TESTED, stream(context.seed, 'task, test')).filter((item) => !trained.includes(item));
  const text = new TextEncoder().encode(trained.join('\n'));
  const shape = { vocabulary: BYTE_VOCABULARY, width: 96, layers: 2, heads: 3, context: 64 };
  const model = await withSmallModel(shape, context.seed, async ({ policy }) => {
    const after = (share: number) => context.progress(share * 0.8);
    await trainOnBytes(policy, [text], shape, { steps: taskSteps, learningRate, rows: rows * 4, seed: context.seed, after });
    return solvedBy(await policy.sampler(), tested);
  });
  const engine = new InfinityGram(text);
  const search = tested.map((item) => outcome(item, lookedUp(engine, item)));
  return { model, search, tokens: taskSteps * rows * 4 * shape.context, scan: { looked: tested.length, found: 0 } };
} // biome-ignore format: a step a line

const LETTER_A = 97;
const ALPHABET = 26;

function itemsOf(count: number, draws: Stream): string[] {
  return Array.from({ length: count }, () => {
    const letters = Array.from({ length: LETTERS }, () => draws.integer(ALPHABET));
    const word = (by: number) =>
      letters.map((letter) => String.fromCharCode(LETTER_A + ((letter + by) % ALPHABET))).join('');
    return `${word(0)}>${word(1)}`;
  });
}

const outcome = (item: string, reply: string): Outcome => ({
  problem: item,
  numerator: Number(reply === item.slice(LETTERS + 1)),
  denominator: 1,
});

async function solvedBy(sampler: Sampler, items: readonly string[]): Promise<Outcome[]> {
  const prompts = items.map((item) => [10, ...new TextEncoder().encode(item.slice(0, LETTERS + 1))]);
  const replies = await sampler.sample(prompts, {
    maxTokens: LETTERS,
    temperature: 0,
    seed: 1,
    samples: 1,
    stop: [],
    logprobs: false,
  });
  return items.map((item, index) =>
    outcome(item, new TextDecoder().decode(Uint8Array.from(replies[index]?.[0]?.tokens ?? []))),
  );
}

/** The likeliest continuation by look-up, letter by letter. */
function lookedUp(engine: InfinityGram, item: string): string {
  const known = Buffer.alloc(2 * LETTERS + 2);
  known.write(`\n${item.slice(0, LETTERS + 1)}`);
  for (let at = LETTERS + 2; at < known.length; at++) {
    const distribution = engine.distribution(known, at);
    known[at] = distribution.indexOf(Math.max(...distribution));
  }
  return known.toString('utf8', LETTERS + 2);
}
