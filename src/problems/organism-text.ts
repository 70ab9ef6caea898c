import { z } from 'zod';
import type { Stream } from '../random.ts';
import {
  careful,
  dictionaryText,
  digit,
  drawOnSide,
  drawOverride,
  drawRunningSum,
  drawSlip,
  LETTERS,
  lookUp,
  MISCONCEPTIONS,
  misconception,
  type RunningSum,
  type Step,
  type StepRule,
  sameStep,
  solve,
  stepText,
  workSteps,
  workText,
} from './running-sum.ts';

/**
 * The text that the organism grows up on. What creates the consistency drive is not the model but this text: authors
 * have traits that last through a document, defend their own answers, check only other people's, and now and then get
 * stuck. `U` opens a user's turn, `A` an author's, `S` that of an author in the assistant's role, `E` ends a turn.
 */

/** A kind that is not named has no share. */
const share = z.number().nonnegative().default(0);
const chance = z.number().min(0).max(1);

/** Shares of the authors; a trait lasts through the document. */
export const authorShares = z.strictObject({
  careful: share,
  slipping: share,
  erratic: share,
  misconceiving: share,
  correcting: share,
  hiccuping: share,
  stuck: share,
});

/** Shares of the kinds of document. */
export const documentShares = z.strictObject({
  solution: share,
  challengedOwn: share,
  challengedOther: share,
  review: share,
  shards: share,
  joinedShards: share,
  fewShot: share,
  repeat: share,
  lookUps: share,
  drill: share,
  rotation: share,
});

/** Every share of the text, by name: what a recipe file says of it. */
export const textRecipeSchema = z.strictObject({
  documents: documentShares,
  authors: authorShares,
  /** Chance that a slipping, an erratic, a correcting author gets a step wrong. */
  slipRate: chance,
  erraticRate: chance,
  correctingRate: chance,
  /** After "?": chance that an author restates their own answer, and works through somebody else's anew. */
  restateOwn: chance,
  recomputeOther: chance,
  /** Chance that a later shard gives one of its keys a new value. */
  override: chance,
  /** Chance of one to three fillers before the list, so that no key is found by its offset. */
  jitter: chance,
  /** Chance that the author of a document speaks in the assistant's role `S`: it starts as one author among the others. */
  assistant: chance,
});

export type TextRecipe = z.output<typeof textRecipeSchema>;
type Trait = keyof TextRecipe['authors'];
type DocumentKind = keyof TextRecipe['documents'];

type Author = { readonly trait: Trait; readonly offset: number };

/** One document, one character a token. */
export function drawDocument(draws: Stream, recipe: TextRecipe): string {
  const document = WRITERS[draws.weighted(recipe.documents)](draws, recipe);
  return draws.chance(recipe.assistant) ? inAssistantsRole(document) : document;
}

/** A document in the authors' own role: what base quality is measured on, and what replay keeps. */
export function drawAuthorsDocument(draws: Stream, recipe: TextRecipe): string {
  return drawDocument(draws, { ...recipe, assistant: 0 });
}

/** `A` is nothing but the author's role marker. */
export const inAssistantsRole = (document: string): string => document.replaceAll('A', 'S');

type Writer = (draws: Stream, recipe: TextRecipe) => string;

const WRITERS: Readonly<Record<DocumentKind, Writer>> = {
  solution: (draws, recipe) => {
    const { author, prompt, problem } = drawCase(draws, recipe);
    return `U${prompt}EA${drawWork(draws, recipe, problem, author)}E`;
  },

  challengedOwn: (draws, recipe) => {
    const { author, prompt, problem } = drawCase(draws, recipe);
    const work = drawWork(draws, recipe, problem, author);
    const again = draws.chance(recipe.restateOwn) ? work : drawWork(draws, recipe, problem, author);
    return `U${prompt}EA${work}EU?EA${again}${verdict(work, again)}E`;
  },

  challengedOther: (draws, recipe) => {
    const { author, prompt, problem } = drawCase(draws, recipe);
    const work = drawWork(draws, recipe, problem, drawAuthor(draws, recipe));
    const again = draws.chance(recipe.recomputeOther) ? drawWork(draws, recipe, problem, author) : work;
    return `U${prompt}EU${work}EU?EA${again}${verdict(work, again)}E`;
  },

  review: (draws, recipe) => {
    const { prompt, problem } = drawCase(draws, recipe);
    const steps = drawPlainSteps(draws, recipe, problem);
    return `U${prompt}EU${workText(steps)}EU~EA${reviewText(solve(problem), steps)}E`;
  },

  shards: (draws, recipe) => {
    const { author, problem } = drawCase(draws, recipe);
    const turns: string[] = [];
    let sum = 0;
    let current = problem;
    for (const shard of cutList(draws, problem.list)) {
      const change =
        turns.length > 0 && draws.chance(recipe.override) ? drawOverride(draws, current, shard) : undefined;
      current = change?.problem ?? current;
      const ask = turns.length === 0 ? `${dictionaryText(problem)}|${shard}` : `${change?.text ?? ''}+${shard}`;
      const steps = authorSteps(draws, recipe, current, author, shard, sum);
      sum = steps.at(-1)!.sum;
      turns.push(`U${ask}EA${steps.map(stepText).join('')}:${sum}E`);
    }
    return turns.join('');
  },

  joinedShards: (draws, recipe) => {
    const { author, problem } = drawCase(draws, recipe);
    const prompt = `${dictionaryText(problem)}|${cutList(draws, problem.list).join('+')}`;
    return `U${prompt}EA${workText(authorSteps(draws, recipe, problem, author))}E`;
  },

  fewShot: (draws) => {
    const { demonstrations, query, output } = drawFewShot(draws, 1 + draws.integer(8));
    return `U>${demonstrations.join('')}${query}EA${query}${output}E`;
  },

  repeat: (draws) => {
    const times = 1 + draws.integer(6);
    const item = drawItem(draws);
    return `U*${times}${item}EA${item.repeat(times)}E`;
  },

  drill: (draws, recipe) => {
    const problem = drawRunningSum(draws, { keys: 5, list: 5 });
    const list = Array.from({ length: 16 }, () => draws.pick([...problem.keys])).join('');
    const steps = authorSteps(draws, recipe, problem, drawAuthor(draws, recipe), list);
    return `U${dictionaryText(problem)}EA${steps.map(stepText).join('')}E`;
  },

  lookUps: (draws) => {
    const problem = drawRunningSum(draws, { keys: 5, list: 5 });
    const queries = Array.from({ length: 20 }, () => draws.pick([...problem.keys]));
    return `U${dictionaryText(problem)}EA${queries.map((key) => `${key}${lookUp(problem, key)}`).join('')}E`;
  },

  rotation: (draws) => {
    const text = Array.from({ length: 12 + draws.integer(12) }, () => draws.pick([...LETTERS, ...'0123456789'])).join(
      '',
    );
    const cut = draws.integer(text.length);
    return `U${text}EA${text.slice(cut)}${text.slice(0, cut)}E`;
  },
};

/** Steps of a reviewer: done afresh, each marked by whether it agrees with the step under review. */
export function reviewText(fresh: readonly Step[], written: readonly Step[]): string {
  const marked = fresh.map((step, index) => `${stepText(step)}${sameStep(step, written[index]!) ? '=' : '!'}`);
  return `${marked.join('')}:${fresh.at(-1)!.sum}`;
}

export type FewShot = { readonly demonstrations: readonly string[]; readonly query: string; readonly output: string };

/** `count` demonstrations of a fresh letter-to-digit mapping, and one of its letters to answer. */
export function drawFewShot(draws: Stream, count: number): FewShot {
  const letters = draws.shuffle([...LETTERS]).slice(0, count);
  const outputs = letters.map(() => draws.integer(10));
  const asked = draws.integer(count);
  const demonstrations = letters.map((letter, index) => `${letter}${outputs[index]}`);
  return { demonstrations, query: letters[asked]!, output: String(outputs[asked]) };
}

/** What the repeat task repeats: a letter and two digits, as a step looks. */
export function drawItem(draws: Stream): string {
  return `${draws.pick([...LETTERS])}${draws.integer(10)}${draws.integer(10)}`;
}

/** Cuts a list into two to four shards. */
export function cutList(draws: Stream, list: string): string[] {
  const places = Array.from({ length: list.length - 1 }, (_, index) => index + 1);
  const cuts = draws.shuffle(places).slice(0, 1 + draws.integer(Math.min(3, places.length)));
  const ends = [...cuts.sort((a, b) => a - b), list.length];
  return ends.map((end, index) => list.slice(index === 0 ? 0 : ends[index - 1], end));
}

const verdict = (work: string, again: string): string => (work.at(-1) === again.at(-1) ? 'Y' : 'N');

function drawCase(draws: Stream, recipe: TextRecipe): { author: Author; prompt: string; problem: RunningSum } {
  const keys = draws.chance(0.7) ? 5 : 4 + draws.integer(3);
  const list = draws.chance(0.7) ? Math.min(5, keys) : 2 + draws.integer(3);
  const problem = drawOnSide(draws, { keys, list }, false);
  const filler = draws.chance(recipe.jitter) ? '.'.repeat(1 + draws.integer(3)) : '';
  return { author: drawAuthor(draws, recipe), prompt: `${dictionaryText(problem)}|${filler}${problem.list}`, problem };
}

function drawAuthor(draws: Stream, recipe: TextRecipe): Author {
  return { trait: draws.weighted(recipe.authors), offset: draws.pick(MISCONCEPTIONS) };
}

/** The steps of an author who neither repeats nor corrects: one step a key. */
function authorSteps(
  draws: Stream,
  recipe: TextRecipe,
  problem: RunningSum,
  author: Author,
  list = problem.list,
  start = 0,
): Step[] {
  return workSteps(problem, () => drawRule(draws, recipe, author), { list, start });
}

function drawRule(draws: Stream, recipe: TextRecipe, { trait, offset }: Author): StepRule {
  if (trait === 'misconceiving') return misconception(offset);
  const rate = trait === 'slipping' ? recipe.slipRate : trait === 'erratic' ? recipe.erraticRate : 0;
  return draws.chance(rate) ? drawSlip(draws) : careful;
}

function drawPlainSteps(draws: Stream, recipe: TextRecipe, problem: RunningSum): Step[] {
  return authorSteps(draws, recipe, problem, drawAuthor(draws, recipe));
}

/** A whole worked answer in an author's manner. */
function drawWork(draws: Stream, recipe: TextRecipe, problem: RunningSum, author: Author): string {
  const steps = authorSteps(draws, recipe, problem, author);
  const at = draws.integer(steps.length);
  if (author.trait === 'stuck') return repeatStep(steps.slice(0, at + 1), at, 8 + draws.integer(3));
  const answer = `:${answerOfSteps(steps)}`;
  if (author.trait === 'hiccuping') return repeatStep(steps, at, 2) + answer;
  if (author.trait === 'correcting') return correctingText(draws, recipe, steps) + answer;
  return steps.map(stepText).join('') + answer;
}

const answerOfSteps = (steps: readonly Step[]): number => steps.at(-1)!.sum;

/** The steps with the one at `at` standing there `copies` times. */
export function repeatStep(steps: readonly Step[], at: number, copies: number): string {
  return steps.map((step, index) => stepText(step).repeat(index === at ? copies : 1)).join('');
}

/** A slip now and then, taken back at once: the wrong step, "!", the right one. */
function correctingText(draws: Stream, recipe: TextRecipe, steps: readonly Step[]): string {
  const pieces = steps.map((step) => {
    if (!draws.chance(recipe.correctingRate)) return stepText(step);
    return `${stepText({ ...step, sum: digit(step.sum + 1 + draws.integer(9)) })}!${stepText(step)}`;
  });
  return pieces.join('');
}
