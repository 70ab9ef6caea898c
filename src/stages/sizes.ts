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

const SAMPLES = 64;

/** Each size is measured when it is first asked for: a stage that knows its own needs no family. */
export function sizesOf(openFamily: () => TrainingFamily, format: LessonFormat, replay: () => number): Sizes {
  const known = new Map<string, number>();
  const mean = (name: string, measure: (family: TrainingFamily) => (draws: Stream) => number) => {
    const size = known.get(name) ?? meanOf(name, measure(openFamily()));
    known.set(name, size);
    return size;
  };
  const tokens = (text: string) => format.encode(text).length;
  return {
    get prompt() {
      return mean('prompt', (family) => (draws) => startTokens([asked(family.prompt(family.drawTraining(draws)))], format).length);
    },
    get step() {
      return mean('step', (family) => (draws) => {
        const steps = drawSteps(family, draws);
        return tokens(workInProgress(steps)) / steps.length;
      });
    },
    get work() {
      return mean('work', (family) => (draws) => tokens(workInProgress(drawSteps(family, draws))));
    },
    get longestWork() {
      const family = openFamily();
      return longest((draws) => tokens(workInProgress(drawSteps(family, draws))));
    },
    get lesson() {
      return mean('lesson', (family) => (draws) => lessonTokens(drawLesson(family, draws, LESSONS, []), format).tokens.length);
    },
    get continuation() {
      return mean('continuation', (family) => (draws) => continuation(family, draws, tokens));
    },
    get replay() {
      return replay();
    },
  }; // biome-ignore format: one line a size
}

const LESSONS = lessonOptions.parse({});
/** Of the longest reply: how long a reply is where only its answer is known beforehand. */
const UNCHECKED = 0.25;

const STARTS = startShares.parse({});
const CHALLENGED = { own: 0.6, wrong: 0.6, waved: 0 };

const longest = (measure: (draws: Stream) => number): number =>
  Math.max(...Array.from({ length: SAMPLES }, (_, at) => measure(stream(0, 'size', 'work', at))));

function meanOf(name: string, measure: (draws: Stream) => number): number {
  const all = Array.from({ length: SAMPLES }, (_, at) => measure(stream(0, 'size', name, at)));
  return all.reduce((sum, size) => sum + size, 0) / SAMPLES;
}

const drawSteps = (family: TrainingFamily, draws: Stream) => rightWork(family, family.drawTraining(draws), draws);

/** Wanted behind the start, or behind as much right work where nothing is wanted behind wrong one. */
function continuation(family: TrainingFamily, draws: Stream, tokens: (text: string) => number): number {
  if (family.check === undefined) return UNCHECKED * family.replyTokens;
  const start = drawStart(family, draws, STARTS, [], CHALLENGED);
  const right = rightWork(family, start.problem, draws, start.written.length);
  const wanted = wantedBehind(family, start.challenged ? start : { ...start, kind: 'right', written: right }, draws);
  return tokens((wanted ?? []).map(({ text }) => text).join('')) + 1;
}
