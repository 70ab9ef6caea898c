import { z } from 'zod';
import type { Sampler } from '../../engine/engine.ts';
import { type Stream, stream } from '../../random.ts';
import type { Finding } from '../../results/lab-finding.ts';
import { wilsonInterval } from '../../stats/wilson.ts';
import { defineExperiment, type LabContext } from '../experiment.ts';
import { train, withSmallModel } from '../text/small-model.ts';
import { type Induction, inductionOf } from './induction.ts';
import {
  contextSequence,
  LABELS,
  LENGTH,
  labelToken,
  type Sequence,
  SYMBOLS,
  sequenceDatum,
  splitNames,
  trainingSequence,
  VOCABULARY,
  weightsSequence,
} from './sequences.ts';

const options = z.strictObject({
  steps: z.int().positive().default(2500),
  /** Sequences of a training step. */
  rows: z.int().positive().default(48),
  /** Classes of the arm with few. */
  few: z.int().min(16).max(2048).default(256),
  /** Classes of the arms with many. */
  many: z.int().min(16).max(2048).default(2048),
  tests: z.int().min(20).default(400),
  /** How often accuracy is measured along training. */
  looks: z.int().min(1).default(8),
  width: z.int().multipleOf(32).default(64),
  layers: z.int().positive().default(2),
  learningRate: z.number().positive().max(1).default(2e-3),
  /** A model folder: loss on repeated random tokens is measured beside. */
  model: z.string().optional(),
});
type Options = z.output<typeof options>;

/** Saying one of the two labels that stand in the context three times is right in half of the cases, and a little by chance. */
const SHORTCUT = 0.56;

/**
 * Does next-token prediction make few-shot learners, or does the text? The same small transformer on sequences of class and
 * label, with the class that is asked for in the context or not, and with few classes or many.
 */
export const fewShotLab = defineExperiment({
  name: 'few-shot',
  claim: 'Prediction makes sharp few-shot learners.',
  question: 'Which text makes a model learn from its context instead of by heart?',
  minutes: 9,
  declaration: {
    hypothesis: `On text whose classes come in bursts and are many, the model names unseen classes from the context more often than the shortcut does (${SHORTCUT}); on the same classes without bursts it does not.`,
    metric:
      'share of unseen classes named rightly, with labels that hold in one sequence only; classes never seen in training; Wilson interval over sequences',
    baselines: [
      `chance ${1 / LABELS}`,
      `one of the two frequent labels of the context: about ${SHORTCUT}`,
      'trained classes without support in the context (by heart)',
    ],
    budget: 'one model an arm, steps x rows sequences; accuracy at the last step counts, not the best one',
    against: 'accuracy at or below the shortcut on bursty text with many classes, or above it without bursts',
    notConcluded:
      'that language models in general learn like this: the ability is a property of the text as much as of the model',
  },
  options,
  run: async (context, chosen) => {
    const arms: Arm[] = [
      { name: `no bursts, ${chosen.many} classes`, classes: chosen.many, bursty: false, permuted: false },
      { name: `bursts, ${chosen.few} classes`, classes: chosen.few, bursty: true, permuted: false },
      { name: `bursts, ${chosen.many} classes`, classes: chosen.many, bursty: true, permuted: false },
      { name: 'labels permuted', classes: chosen.many, bursty: true, permuted: true },
    ];
    const found: Result[] = [];
    for (const arm of arms) found.push(await context.piece(arm.name, () => runArm(context, arm, chosen)));
    const own =
      chosen.model === undefined
        ? undefined
        : await context.piece(`induction of ${chosen.model}`, () => inductionOf(chosen.model ?? '', context.seed));
    return finding(found, chosen, own);
  },
});

type Arm = { readonly name: string; readonly classes: number; readonly bursty: boolean; readonly permuted: boolean };
type Look = { readonly step: number; readonly context: number; readonly weights: number };
type Result = { readonly name: string; readonly looks: Look[] };

/** Trains one arm, and looks at both abilities along the way. */
function runArm(context: LabContext, arm: Arm, chosen: Options): Promise<Result> {
  const names = splitNames(stream(context.seed, 'names'));
  const trained = names.trained.slice(0, arm.classes);
  const tests = testsOf(trained, names.unseen, chosen.tests, context.seed);
  const shape = { vocabulary: VOCABULARY, width: chosen.width, layers: chosen.layers, heads: chosen.width / 32, context: LENGTH };
  return withSmallModel(shape, context.seed, async ({ policy }) => {
    const looks: Look[] = [];
    const every = Math.max(1, Math.floor(chosen.steps / chosen.looks));
    await train(policy, {
      steps: chosen.steps,
      learningRate: chosen.learningRate,
      batch: (step) => {
        const draws = stream(context.seed, 'sequences', arm.name, step);
        return Array.from({ length: chosen.rows }, () => sequenceDatum(drawnFor(arm, trained, draws)));
      },
      after: async (share, _loss, step) => {
        context.progress(share);
        if ((step + 1) % every !== 0 && step + 1 !== chosen.steps) return;
        const sampler = await policy.sampler();
        looks.push({ step: step + 1, context: await right(sampler, tests.context), weights: await right(sampler, tests.weights) });
      },
    });
    return { name: arm.name, looks };
  });
} // biome-ignore format: one line a statement

function drawnFor({ bursty, permuted }: Arm, trained: readonly number[], draws: Stream): Sequence {
  const sequence = trainingSequence(trained, bursty, draws);
  if (!permuted) return sequence;
  return {
    ...sequence,
    tokens: sequence.tokens.map((token) => (token < SYMBOLS ? token : labelToken(draws.integer(LABELS)))),
  };
}

function testsOf(trained: readonly number[], unseen: readonly number[], count: number, seed: number) {
  const draws = stream(seed, 'tests');
  return {
    context: Array.from({ length: count }, () => contextSequence(unseen, draws)),
    weights: Array.from({ length: count }, () => weightsSequence(trained, draws)),
  };
}

/** Share of the last labels that are the likeliest. */
async function right(sampler: Sampler, sequences: readonly Sequence[]): Promise<number> {
  const prompts = sequences.map(({ tokens }) => tokens.slice(0, -1));
  const replies = await sampler.sample(prompts, {
    maxTokens: 1,
    temperature: 0,
    seed: 1,
    samples: 1,
    stop: [],
    logprobs: false,
  });
  return (
    sequences.filter(({ label }, at) => replies[at]?.[0]?.tokens[0] === labelToken(label)).length / sequences.length
  );
}

const last = ({ looks }: Result): Look => looks.at(-1) as Look; // runArm looks at the end

function finding(found: readonly Result[], { tests, steps, rows }: Options, own: Induction | undefined): Finding {
  const [plain, , bursty, permuted] = found as readonly [Result, Result, Result, Result]; // one an arm
  const of = (result: Result) => ({ value: last(result).context, ...wilsonInterval(last(result).context, tests) });
  const control = of(permuted);
  const over = `${tests} sequences`;
  return {
    headline: `unseen classes named from the context: ${last(bursty).context.toFixed(2)} with bursts and many classes, ${last(plain).context.toFixed(2)} without bursts (shortcut ${SHORTCUT}, chance ${1 / LABELS})`,
    comparisons: [
      { name: bursty.name, unit: 'share right', ...of(bursty), expected: 'above', threshold: SHORTCUT, over },
      { name: plain.name, unit: 'share right', ...of(plain), expected: 'below', threshold: SHORTCUT, over },
    ],
    figures: [
      { title: 'Learning from the context, along training', kind: 'lines', x: 'step', y: 'unseen classes named rightly', series: found.map(({ name, looks }) => ({ name, points: looks.map(({ step, context: y }) => ({ x: step, y })) })), mark: { value: SHORTCUT, name: 'shortcut' }, note: 'All of these losses fall; only this test tells them apart.' },
      { title: 'Learning by heart, along training', kind: 'lines', x: 'step', y: 'trained classes without context named rightly', series: found.map(({ name, looks }) => ({ name, points: looks.map(({ step, weights: y }) => ({ x: step, y })) })) },
    ],
    tables: [
      { title: 'At the end', columns: ['text', 'unseen class, from context', 'trained class, by heart'], rows: found.map((result) => [result.name, last(result).context, last(result).weights]) },
      ...(own ? [{ title: 'The model that was given: nats a token on random tokens, said twice', columns: ['', 'first time', 'second time'], rows: [['nats', own.first, own.second]], note: 'An induction score: what a repetition of a text without meaning is worth.' }] : []),
    ],
    scans: [{ data: 'unseen classes', method: 'their names against those of the training classes', looked: tests, found: 0 }],
    controls: [{ name: 'labels permuted in training', held: control.low < SHORTCUT, what: `${control.value.toFixed(3)} right` }],
    spent: { arms: { calls: 0, tokens: found.length * steps * rows * LENGTH } },
  };
} // biome-ignore format: a field a line
