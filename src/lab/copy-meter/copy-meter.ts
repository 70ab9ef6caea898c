import { z } from 'zod';
import { stream } from '../../random.ts';
import type { Comparison, Finding } from '../../results/lab-finding.ts';
import { change } from '../../stats/change.ts';
import { estimate } from '../../stats/estimate.ts';
import { type Outcome, rate } from '../../stats/outcome.ts';
import { defineExperiment, type LabContext } from '../experiment.ts';
import { bitsPerByte } from '../text/bits.ts';
import { BYTE_VOCABULARY, byteModel, trainOnBytes } from '../text/byte-transformer.ts';
import { type Document, joined, overlap, readDocuments, withEnds } from '../text/corpus.ts';
import { generatedDocuments } from '../text/generated.ts';
import { InfinityGram } from '../text/infinity-gram.ts';
import { ByteNgram } from '../text/ngram.ts';
import { withSmallModel } from '../text/small-model.ts';
import { SuffixArray } from '../text/suffix-array.ts';
import { gramsOf, longestMatches, novelty, type Passage, passages } from './novelty.ts';
import { sampleBytes, sampleFolder } from './samples.ts';
import { unseenTask } from './unseen-task.ts';

const options = z.strictObject({
  /** `generated` never runs out; `docs`, `sotu`, `moby-dick`, or a file or folder. */
  corpus: z.string().default('generated'),
  /** A model folder whose samples are measured against the corpus, instead of the three arms. */
  model: z.string().optional(),
  smallBytes: z.int().min(2000).default(40_000),
  largeBytes: z.int().min(4000).default(1_500_000),
  steps: z.int().positive().default(350),
  taskSteps: z.int().positive().default(500),
  rows: z.int().positive().default(16),
  context: z.int().min(16).max(2048).default(256),
  width: z.int().multipleOf(32).default(128),
  layers: z.int().positive().default(3),
  learningRate: z.number().positive().max(1).default(3e-3),
  samples: z.int().min(4).default(100),
  /** Longest sample in bytes. */
  length: z.int().min(32).default(384),
});
type Options = z.output<typeof options>;

/** More bytes of match than held-out text has, on average over its places: beyond this a model repeats what it read. */
const EXCESS = 8;

/**
 * Is a language model a search engine over its training text? Two answers: how much of what it writes stands in the text,
 * beyond what held-out text of the same kind shares with it; and a real search engine beside it, on text and on a task whose
 * test items have no support in the text.
 */
export const copyMeter = defineExperiment({
  name: 'copy-meter',
  claim: 'Language models are glorified search and remix engines.',
  question:
    'How much does a model copy beyond what people’s own new text shares with the old, and can it do what no look-up can?',
  minutes: 9,
  declaration: {
    hypothesis: `A model that reads a large text once copies no more than ${EXCESS} bytes of match beyond held-out text, and solves items without any support in its training text, where a search engine over the same text is at chance.`,
    metric:
      'mean longest match with the training text over the bytes of a sample, minus the same of held-out text (bootstrap by sample); share of test items written rightly to the last letter',
    baselines: [
      'held-out text of the same kind',
      'infinity-gram: a search engine over the training text',
      'order-5 byte n-gram as a babbler',
      'a small text read many times; 1 % of the documents read 20 times',
    ],
    budget:
      'three arms of the same shape, steps and rows; one model on the task; the capacity of 3.6 bits a parameter (Morris et al. 2025) says beforehand that the small text can be learnt by heart and the large one cannot',
    against:
      'matches of the large arm beyond the threshold, or a search engine that is no worse on items without support',
    notConcluded:
      'that a model is creative: novelty of surface text is cheap, and an n-gram babbler has it too; that overlap shows influence',
  },
  options,
  run: (context, chosen) =>
    chosen.model === undefined ? runArms(context, chosen) : runFolder(context, chosen, chosen.model),
});

type Arm = { readonly name: string; readonly train: Document[]; readonly predicted: string };

async function textOf({ corpus, largeBytes }: Options, seed: number): Promise<{ train: Document[]; test: Document[] }> {
  const documents = corpus === 'generated' ? generatedDocuments(largeBytes, seed) : await readDocuments(corpus);
  const shuffled = stream(seed, 'copy-meter split').shuffle(documents);
  const held = Math.max(8, Math.min(120, Math.round(shuffled.length / 8)));
  return { test: shuffled.slice(0, held), train: shuffled.slice(held) };
}

/** The three arms: what each is predicted to do follows from its size and the capacity of the model, before any training. */
function armsOf(train: Document[], { smallBytes }: Options): readonly [small: Arm, large: Arm, doubled: Arm] {
  const small: Document[] = [];
  for (let size = 0; size < smallBytes && small.length < train.length; size += small.at(-1)?.bytes.length ?? 0) small.push(train[small.length] as Document); // there are that many
  const often = train.slice(0, Math.max(1, Math.round(train.length / 100)));
  return [
    { name: 'small text, many times', train: small, predicted: 'learnt by heart' },
    { name: 'large text, once', train, predicted: 'not copied' },
    { name: 'large text, 1 % of it 20 times', train: [...train, ...Array.from({ length: 19 }, () => often).flat()], predicted: 'copies what it saw often' },
  ];
} // biome-ignore format: an arm a line

type Measured = {
  readonly name: string;
  readonly matches: Outcome[];
  readonly novelties: number[];
  readonly quality: number;
  readonly bits: number | null;
};

async function runArms(context: LabContext, chosen: Options): Promise<Finding> {
  const { train, test } = await textOf(chosen, context.seed);
  const arms = armsOf(train, chosen);
  const index = new SuffixArray(withEnds(train));
  const judge = new ByteNgram(5);
  judge.learn(joined(test.slice(0, Math.ceil(test.length / 2))));
  const held = test.slice(Math.ceil(test.length / 2)).map((one) => ({ ...one, bytes: one.bytes.subarray(0, chosen.length) }));
  const human = await context.piece('held-out text', () => measure('held-out text', index, train, judge, held, null));
  const measured: Measured[] = [];
  for (const arm of arms) measured.push(await context.piece(arm.name, () => runArm(context, arm, test, judge, chosen)));
  const babbler = await context.piece('5-gram babbler', () => measure('5-gram babbler', index, train, judge, babble(train, chosen, context.seed), null));
  const search = await context.piece('search engine on held-out text', async () => rate(await bitsPerByte(new InfinityGram(joined(train)), held)));
  const task = await context.piece('items without support', () => unseenTask(context, chosen));
  const scan = await context.piece('leak scan', () => overlap(train, test, 64));
  return finding(human, measured, babbler, search, task, scan, chosen);
} // biome-ignore format: a piece a line

async function runArm(context: LabContext, { name, train }: Arm, test: readonly Document[], judge: ByteNgram, chosen: Options): Promise<Measured> {
  const shape = { vocabulary: BYTE_VOCABULARY, width: chosen.width, layers: chosen.layers, heads: chosen.width / 32, context: chosen.context };
  return withSmallModel(shape, context.seed, async ({ policy }) => {
    const after = (share: number) => context.progress(share * 0.8);
    await trainOnBytes(policy, train.map(({ bytes }) => bytes), shape, { ...chosen, seed: context.seed, after });
    const sampler = await policy.sampler();
    const samples = await sampleBytes(sampler, chosen, context.seed);
    context.progress(0.9);
    const bits = rate(await bitsPerByte(byteModel(sampler, chosen.context), test));
    return measure(name, new SuffixArray(withEnds(train)), train, judge, samples, bits);
  });
} // biome-ignore format: a step a line

const NGRAMS = [1, 2, 3, 4, 5, 6] as const;

async function measure(
  name: string,
  index: SuffixArray,
  train: readonly Document[],
  judge: ByteNgram,
  samples: readonly Document[],
  bits: number | null,
): Promise<Measured> {
  const novelties = NGRAMS.map((n) => {
    const known = new Set(train.flatMap(({ bytes }) => gramsOf(bytes, n)));
    return rate(novelty(known, samples, n));
  });
  return {
    name,
    matches: longestMatches(index, samples),
    novelties,
    quality: rate(await bitsPerByte(judge, samples)),
    bits,
  };
}

/** Text drawn from a byte 5-gram: novel on the surface, with nothing behind it. */
function babble(train: readonly Document[], { samples, length }: Options, seed: number): Document[] {
  const gram = new ByteNgram(5);
  gram.learn(joined(train).subarray(0, 400_000));
  return Array.from({ length: Math.min(samples, 24) }, (_, index) => {
    const draws = stream(seed, 'babble', index);
    const text = new Uint8Array(length);
    for (let at = 0; at < length; at++) {
      text[at] = drawn(gram.distribution(text, at), draws.uniform());
    }
    return { name: `babble ${index + 1}`, bytes: text };
  });
}

/** The byte at which the sum of the probabilities passes `uniform`. */
function drawn(distribution: Float64Array, uniform: number): number {
  let sum = 0;
  for (let byte = 0; byte < distribution.length; byte++) {
    sum += distribution[byte] ?? 0;
    if (sum > uniform) return byte;
  }
  return 0;
}

type Task = Awaited<ReturnType<typeof unseenTask>>;

function finding(human: Measured, arms: readonly Measured[], babbler: Measured, search: number, task: Task, scan: { looked: number; found: number }, chosen: Options): Finding {
  const excess = (one: Measured) => unpaired(human.matches, one.matches);
  const large = excess(arms[1] as Measured); // armsOf gave three
  const gain = change(task.search, task.model, { seed: 1, range: [-1, 1] });
  const all = [human, ...arms, babbler];
  return {
    headline: `read once, ${large.value.toFixed(1)} bytes of match beyond held-out text [${large.low.toFixed(1)}, ${large.high.toFixed(1)}]; on items without support ${rate(task.model).toFixed(2)} right, a search engine ${rate(task.search).toFixed(2)}`,
    comparisons: [
      { name: 'large text read once: longest match minus that of held-out text', unit: 'bytes', ...large, expected: 'below', threshold: EXCESS, over: `${arms[1]?.matches.length} samples` },
      { name: 'items without support: transformer minus search engine', unit: 'share right', value: gain.value, low: gain.low, high: gain.high, p: gain.p, expected: 'above', threshold: 0.2, over: `${task.model.length} items` },
    ],
    figures: [
      { title: 'Word n-grams that the training text does not have', kind: 'lines', x: 'n', y: 'share that is new', series: all.map(({ name, novelties }) => ({ name, points: NGRAMS.map((n, at) => ({ x: n, y: novelties[at] ?? 0 })) })), note: 'The line to compare with is that of held-out text. A babbler is as novel as people are: novelty alone proves nothing.' },
      { title: 'Mean longest match with the training text', kind: 'bars', x: '', y: 'bytes', series: [{ name: '', points: all.map((one) => ({ x: one.name, ...meanOf(one.matches) })) }] },
    ],
    tables: [
      { title: 'Copying, beside quality', columns: ['text', 'longest match, bytes', 'beyond held-out', 'new 5-grams', 'bits/byte of the samples under an independent 5-gram', 'held-out bits/byte of the model'], rows: [...all.map((one) => [one.name, meanOf(one.matches).y, one === human ? 0 : excess(one).value, one.novelties[4] ?? 0, one.quality, one.bits ?? '']), ['search engine (infinity-gram)', '', '', '', '', search]] },
    ],
    scans: [{ data: 'held-out text', method: '64-byte windows that stand in the training text', ...scan }, { data: 'task items', method: 'whole items in the training items', ...task.scan }],
    controls: [{ name: 'search engine on items without support', held: rate(task.search) < 0.1, what: `${rate(task.search).toFixed(3)} right; at chance by construction` }],
    spent: { arms: { calls: 0, tokens: 3 * chosen.steps * chosen.rows * chosen.context }, task: { calls: task.model.length, tokens: task.tokens } },
  };
} // biome-ignore format: a field a line

/** A mean with its interval over samples, for a figure. */
function meanOf(outcomes: readonly Outcome[]): { y: number; low: number; high: number } {
  const { value, low, high } = estimate(outcomes, { seed: 1 });
  return { y: value, low, high };
}

/** Difference of two means over samples that do not belong together, by the normal approximation of their intervals. */
function unpaired(first: readonly Outcome[], second: readonly Outcome[]): Pick<Comparison, 'value' | 'low' | 'high'> {
  const [a, b] = [estimate(first, { seed: 1 }), estimate(second, { seed: 2 })];
  const value = b.value - a.value;
  const half = Math.hypot((a.high - a.low) / 2, (b.high - b.low) / 2);
  return { value, low: value - half, high: value + half };
}

/** Longest passages that a compliance report shows. */
const SHOWN = 40;

/** A user's model and corpus: what it copies when it continues the beginnings of the documents. */
async function runFolder(context: LabContext, chosen: Options, folder: string): Promise<Finding> {
  const { train, test } = await textOf(chosen, context.seed);
  const index = new SuffixArray(withEnds(train));
  const samples = await context.piece(`samples of ${folder}`, () => sampleFolder(folder, train, chosen, context.seed));
  const texts = samples.map(({ name, text }) => ({ name, bytes: new TextEncoder().encode(text) }));
  const own = longestMatches(index, texts);
  const human = longestMatches(index, test.map((one) => ({ ...one, bytes: one.bytes.subarray(0, chosen.length) })));
  const found = passages(index, train, texts, 50).slice(0, SHOWN);
  const excess = unpaired(human, own);
  return {
    headline: `${folder} writes ${excess.value.toFixed(1)} bytes of match beyond held-out text [${excess.low.toFixed(1)}, ${excess.high.toFixed(1)}]; ${found.length} passages of 50 bytes or more are copied`,
    comparisons: [{ name: 'longest match minus that of held-out text', unit: 'bytes', ...excess, expected: 'below', threshold: EXCESS, over: `${own.length} continuations` }],
    figures: [{ title: 'Mean longest match with the corpus', kind: 'bars', x: '', y: 'bytes', series: [{ name: '', points: [{ x: folder, ...meanOf(own) }, { x: 'held-out text', ...meanOf(human) }] }] }],
    tables: [passageTable(found)],
    scans: [{ data: 'held-out text', method: '64-byte windows that stand in the training text', ...overlap(train, test, 64) }],
    controls: [],
    spent: { samples: { calls: samples.length, tokens: 0 } },
  };
} // biome-ignore format: a field a line

function passageTable(found: readonly Passage[]): Finding['tables'][number] {
  return {
    title: 'Passages copied word for word, longest first',
    columns: ['bytes', 'document', 'at byte', 'passage'],
    rows: found.map(({ length, document, at, text }) => [
      length,
      document,
      at,
      text.length > 200 ? `${text.slice(0, 200)}…` : text,
    ]),
    note: 'Where a text stands says nothing of why the model wrote it: overlap is not influence.',
  };
}
