import { z } from 'zod';
import { stream } from '../../random.ts';
import type { Comparison, Finding } from '../../results/lab-finding.ts';
import type { Outcome } from '../../stats/outcome.ts';
import { rate } from '../../stats/outcome.ts';
import { defineExperiment, type LabContext } from '../experiment.ts';
import { bitsChange, bitsEstimate, bitsPerByte } from '../text/bits.ts';
import { BYTE_VOCABULARY, byteModel, trainOnBytes } from '../text/byte-transformer.ts';
import { compressors } from '../text/compressors.ts';
import { type Corpus, joined, overlap, readCorpus } from '../text/corpus.ts';
import { ByteNgram } from '../text/ngram.ts';
import { withSmallModel } from '../text/small-model.ts';
import { archive } from './archive.ts';
import { type Control, controls } from './controls.ts';
import { folderBits } from './model-folder-bits.ts';

const options = z.strictObject({
  /** `docs` comes with unrut; `sotu` and `moby-dick` need their npm packages; else a file or folder. */
  corpus: z.string().default('docs'),
  /** A model folder to be measured beside the small one. */
  model: z.string().optional(),
  steps: z.int().positive().default(500),
  learningRate: z.number().positive().max(1).default(3e-3),
  /** Windows of a training step. */
  rows: z.int().positive().default(16),
  context: z.int().min(16).max(2048).default(256),
  width: z.int().multipleOf(16).default(128),
  layers: z.int().positive().default(4),
  /** Bytes of each control text. */
  controlBytes: z.int().min(1000).default(60_000),
});
type Options = z.output<typeof options>;

/**
 * How redundant is a language? Bits per byte of held-out text under a small transformer, against n-grams and the usual
 * compressors; beside it texts of known redundancy. Static and archive figures are never mixed: the first give the model
 * away for free, the second pay for it.
 */
export const redundancy = defineExperiment({
  name: 'redundancy',
  claim: 'It only works because our languages are absurdly redundant.',
  question: 'How many of the 8 bits of a byte of text are there to be predicted?',
  minutes: 5,
  declaration: {
    hypothesis:
      'More than half of the 8 bits a byte of held-out text can be predicted from the bytes before it, and most of that lies in their order.',
    metric:
      'bits per byte = nats / ln 2 / bytes of whole held-out documents, which holds across tokenizers; bootstrap by document',
    baselines: [
      'gzip, brotli; zstd, xz, bzip2 where they are installed',
      'byte n-gram with interpolated discounting, orders 2 to 6',
      'the order-5 n-gram, learning while it reads',
      'the same letters shuffled',
    ],
    budget:
      'one small byte-level transformer, trained once on the training documents (steps x rows x context bytes); no choice is made on the held-out ones',
    against:
      'held-out text at 4 bits a byte or more under every model, or no more than .5 bit a byte lost by shuffling its letters',
    notConcluded:
      'that language is meaningless or easy: redundancy is also what makes it robust to noise; that the figure is the entropy of the language: it is an upper bound by models of this size on text of this kind',
  },
  options,
  run: async (context, chosen) => {
    const corpus = await readCorpus(chosen.corpus, context.seed);
    const grams = await context.piece('n-grams', () => ngramBits(corpus));
    const trained = await context.piece(`transformer on ${corpus.name}`, () =>
      transformerBits(context, corpus, chosen),
    );
    const own =
      chosen.model === undefined
        ? undefined
        : await context.piece(`model ${chosen.model}`, () => folderBits(chosen.model ?? '', corpus.test));
    const shuffled = await context.piece('shuffled letters', () => bitsOf(controls.shuffled(corpus, context.seed)));
    const known = await context.piece('controls', () => controlBits(chosen.controlBytes, context.seed));
    const archives = await context.piece('archives', () => archive(corpus, trained.parameters, trained.outcomes));
    const scan = await context.piece('leak scan', () => overlap(corpus.train, corpus.test));
    const rows = { grams, trained: trained.outcomes, own, shuffled, known };
    return finding(corpus, rows, trained, archives, scan, chosen);
  },
});

type Grams = { readonly name: string; readonly outcomes: Outcome[] }[];

/** Static orders 2 to 6, and order 5 learning while it reads the held-out text. */
async function ngramBits({ train, test }: Corpus): Promise<Grams> {
  const text = joined(train);
  const found: Grams = [];
  for (const [order, online] of [[2, false], [3, false], [4, false], [5, false], [6, false], [5, true]] as const) {
    const gram = new ByteNgram(order, { online });
    gram.learn(text);
    found.push({ name: `${order}-gram${online ? ', online' : ''}`, outcomes: await bitsPerByte(gram, test) });
  }
  return found;
} // biome-ignore format: the orders in a line

type Trained = { readonly outcomes: Outcome[]; readonly parameters: number; readonly tokens: number };

function transformerBits(context: LabContext, { train, test }: Corpus, options: Options): Promise<Trained> {
  const shape = { vocabulary: BYTE_VOCABULARY, width: options.width, layers: options.layers, heads: options.width / 32, context: options.context };
  return withSmallModel(shape, context.seed, async ({ policy, parameters }) => {
    const after = (share: number) => context.progress(share * 0.97);
    await trainOnBytes(policy, train.map(({ bytes }) => bytes), shape, { ...options, seed: context.seed, after });
    const outcomes = await bitsPerByte(byteModel(await policy.sampler(), options.context), test);
    return { outcomes, parameters, tokens: options.steps * options.rows * options.context };
  });
} // biome-ignore format: a step a line

/** Declared, not picked: what the verdict reads, unless a model folder is given. */
const PRIMARY = '5-gram, online';

const primary = (model: string | undefined): string => model ?? PRIMARY;

const outcomesOf = (grams: Grams, name: string): Outcome[] => grams.find((gram) => gram.name === name)?.outcomes ?? [];

/** A control under the 5-gram, which has learnt the first half of it. */
async function bitsOf({ train, test }: Pick<Corpus, 'train' | 'test'>): Promise<Outcome[]> {
  const gram = new ByteNgram(5);
  gram.learn(joined(train));
  return bitsPerByte(gram, test);
}

type Known = (Omit<Control, 'corpus'> & { readonly outcomes: Outcome[] })[];

async function controlBits(bytes: number, seed: number): Promise<Known> {
  const found: Known = [];
  for (const { corpus, ...about } of controls.known(bytes, stream(seed, 'controls'))) {
    found.push({ ...about, outcomes: await bitsOf(corpus) });
  }
  return found;
}

type Rows = {
  readonly grams: Grams;
  readonly trained: Outcome[];
  readonly own: Outcome[] | undefined;
  readonly shuffled: Outcome[];
  readonly known: Known;
};

function finding(corpus: Corpus, rows: Rows, trained: Trained, archives: Finding['tables'][number], scan: { looked: number; found: number }, { model }: Options): Finding {
  const all = [...rows.grams, { name: 'transformer, trained here', outcomes: rows.trained }, ...(rows.own ? [{ name: model ?? 'model', outcomes: rows.own }] : [])];
  const best = { name: primary(model), outcomes: rows.own ?? outcomesOf(rows.grams, PRIMARY) };
  const estimate = bitsEstimate(best.outcomes);
  const order = bitsChange(best.outcomes, rows.shuffled);
  return {
    headline: `${best.name}: ${estimate.value.toFixed(2)} [${estimate.low.toFixed(2)}, ${estimate.high.toFixed(2)}] bits a byte on ${corpus.test.length} held-out documents, so ${Math.round(100 * (1 - estimate.value / 8))} % of 8 bits are redundant; shuffled letters ${rate(rows.shuffled).toFixed(2)}`,
    comparisons: [
      { name: `${best.name}, held-out text`, unit: 'bits/byte', ...interval(estimate), expected: 'below', threshold: 4, over: `${corpus.test.length} documents` },
      { name: `shuffled letters minus ${best.name}`, unit: 'bits/byte', ...interval(order), p: order.p, expected: 'above', threshold: 0.5, over: `${corpus.test.length} documents` },
    ],
    figures: [bars(all, rows)],
    tables: [staticTable(corpus, all), archives],
    scans: [{ data: `${corpus.name}: held-out documents`, method: '32-byte windows, every 8 bytes, that stand in the training text', ...scan }],
    controls: rows.known.map(({ name, least, outcomes }) => ({ name, held: rate(outcomes) >= least, what: `${rate(outcomes).toFixed(3)} bits a byte; at least ${least} by construction` })),
    spent: { transformer: { calls: 0, tokens: trained.tokens }, 'n-grams': { calls: 0, tokens: joined(corpus.train).length } },
  };
} // biome-ignore format: a field a line

const interval = ({ value, low, high }: Pick<Comparison, 'value' | 'low' | 'high'>) => ({ value, low, high });

function bars(all: Grams, { shuffled, known }: Rows): Finding['figures'][number] {
  const point = ({ name, outcomes }: Grams[number]) => ({ x: name, y: rate(outcomes), ...ends(outcomes) });
  const baseline = [{ name: 'the same letters, shuffled', outcomes: shuffled }, ...known];
  return {
    title: 'Bits per byte: what a model cannot predict',
    kind: 'bars',
    x: '',
    y: 'bits per byte; 8 without any model',
    series: [{ name: '', points: all.map(point) }, { name: '', baseline: true, points: baseline.map(point) }],
    note: 'Blue: held-out text under each model. Grey: texts of known redundancy. Whiskers: 95 % intervals by document.',
  };
} // biome-ignore format: a field a line

function ends(outcomes: readonly Outcome[]): { low: number; high: number } {
  const { low, high } = bitsEstimate(outcomes);
  return { low, high };
}

function staticTable({ test }: Corpus, all: Grams): Finding['tables'][number] {
  const bytes = joined(test);
  const sizes = compressors.flatMap(({ name, size }) => {
    const compressed = size(bytes);
    return compressed === undefined ? [] : [[`${name}, unprimed`, (8 * compressed) / bytes.length, '', '']];
  });
  return {
    title: `Static: the model is given, only the ${bytes.length.toLocaleString('en-US')} held-out bytes are paid for`,
    columns: ['model', 'bits/byte', '95 % low', '95 % high'],
    rows: [...all.map(({ name, outcomes }) => [name, rate(outcomes), ends(outcomes).low, ends(outcomes).high]), ...sizes],
    note: 'Compressors start from nothing on the same bytes; the models have seen the training documents. Not to be read against the archive table.',
  };
} // biome-ignore format: a field a line
