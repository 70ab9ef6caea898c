import { type LessonFormat, lessonTokens, startTokens } from '../chat/lesson.ts';
import { workInProgress } from '../problems/problem-family.ts';
import { type Stream, stream } from '../random.ts';
import { drawStart, type TrainingFamily } from '../wrong-turns/draw-start.ts';
import { asked } from '../wrong-turns/turns.ts';
import { wantedBehind } from '../wrong-turns/wanted.ts';
import { rightWork } from '../wrong-turns/wrong-work.ts';
import { drawLesson, lessonOptions } from './lessons.ts';
import { startShares } from './start-shares.ts';

/** What a run's texts come to in tokens, on average, measured on the family's problems in the model's own tokens. */
export interface Sizes {
  /** A problem as the model is asked. */
  readonly prompt: number;
  /** One step of the work, and all of them. */
  readonly step: number;
  readonly work: number;
  /** The longest of the looked-at works. */
  readonly longestWork: number;
  /** A supervised lesson, prompt and all. */
  readonly lesson: number;
  /** What is left to be written behind the start of a rollout. */
  readonly continuation: number;
  /** A text that is replayed. */
  readonly replay: number;
}

/** Problems looked at. */
const SAMPLES = 64;

const LESSONS = lessonOptions.parse({});
const STARTS = startShares.parse({});
const CHALLENGED = { own: 0.6, wrong: 0.6, waved: 0 };

/** Of the longest reply: how long a reply is where only its answer is known beforehand. */
const UNCHECKED = 0.25;

type Measured = 'prompt' | 'step' | 'work' | 'lesson' | 'continuation';

/** A size on one problem that is drawn. */
const MEASURES: Readonly<Record<Measured, (family: TrainingFamily, draws: Stream, format: LessonFormat) => number>> = {
  prompt: (family, draws, format) => startTokens([asked(family.prompt(family.drawTraining(draws)))], format).length,
  step(family, draws, format) {
    const steps = drawSteps(family, draws);
    return format.encode(workInProgress(steps)).length / steps.length;
  },
  work: (family, draws, format) => format.encode(workInProgress(drawSteps(family, draws))).length,
  lesson: (family, draws, format) => lessonTokens(drawLesson(family, draws, LESSONS, []), format).tokens.length,
  continuation,
};

const drawSteps = (family: TrainingFamily, draws: Stream) => rightWork(family, family.drawTraining(draws), draws);

/** Wanted behind the start, or behind as much right work where nothing is wanted behind wrong one. */
function continuation(family: TrainingFamily, draws: Stream, format: LessonFormat): number {
  if (family.check === undefined) return UNCHECKED * family.replyTokens;
  const start = drawStart(family, draws, STARTS, [], CHALLENGED);
  const right = rightWork(family, start.problem, draws, start.written.length);
  const wanted = wantedBehind(family, start.challenged ? start : { ...start, kind: 'right', written: right }, draws);
  return format.encode((wanted ?? []).map(({ text }) => text).join('')).length + 1;
}

/** Measures each size when it is first asked for: a stage that knows its own needs no family. */
export class MeasuredSizes implements Sizes {
  readonly #openFamily: () => TrainingFamily;
  readonly #format: LessonFormat;
  readonly #replay: () => number;
  readonly #known = new Map<Measured, readonly number[]>();

  /** @param replay measures what {@link Sizes.replay} says. */
  constructor(openFamily: () => TrainingFamily, format: LessonFormat, replay: () => number) {
    this.#openFamily = openFamily;
    this.#format = format;
    this.#replay = replay;
  }

  get prompt() {
    return mean(this.#sizes('prompt'));
  }

  get step() {
    return mean(this.#sizes('step'));
  }

  get work() {
    return mean(this.#sizes('work'));
  }

  get longestWork() {
    return Math.max(...this.#sizes('work'));
  }

  get lesson() {
    return mean(this.#sizes('lesson'));
  }

  get continuation() {
    return mean(this.#sizes('continuation'));
  }

  get replay() {
    return this.#replay();
  }

  #sizes(name: Measured): readonly number[] {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const family = this.#openFamily();
    const draws = (at: number) => stream(0, 'size', name, at);
    const sizes = Array.from({ length: SAMPLES }, (_, at) => MEASURES[name](family, draws(at), this.#format));
    this.#known.set(name, sizes);
    return sizes;
  }
}

const mean = (sizes: readonly number[]): number => sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
