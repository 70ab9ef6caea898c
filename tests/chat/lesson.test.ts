import { describe, expect, it } from 'vitest';
import type { ChatFormat } from '../../src/chat/chat-format.ts';
import {
  type Lesson,
  lessonData,
  lessonDatum,
  lessonTokens,
  type Span,
  startTokens,
  type TaughtTurn,
  weighed,
} from '../../src/chat/lesson.ts';
import { FAMILIES, openFamily } from '../../src/problems/families.ts';
import type { ProblemFamily } from '../../src/problems/problem-family.ts';
import { stream } from '../../src/random.ts';
import { trainingSide } from '../../src/recipe/open-family.ts';
import { drawLesson, lessonOptions } from '../../src/stages/lessons.ts';
import { asked } from '../../src/wrong-turns/turns.ts';
import { realFormat, TOKENIZERS } from './real-tokenizers.ts';

/** Over all families. */
const LESSONS = 60;

/** Families that the tokenizer has the letters for. */
function familiesFor(name: string): ProblemFamily<unknown>[] {
  if (name === 'organism') return [openFamily('running-sum')];
  if (name === 'words') return [openFamily('dictionary-sum', { entries: 8, keys: 5, largest: 9 })];
  return FAMILIES.filter((entry) => entry.name !== 'running-sum').map((entry) => openFamily(entry.name));
}

describe.each(TOKENIZERS)('a lesson in the tokens of %s', (name) => {
  it('spells its text, weighs what is meant, and never asks for anything wrong', { timeout: 120_000 }, async () => {
    const format = await realFormat(name);
    let [wrongSpans, rightTargets] = [0, 0];
    const families = familiesFor(name);
    for (const family of families) {
      for (let at = 0; at < LESSONS / families.length; at++) {
        const options = lessonOptions.parse({ shares: { repeated: 0.1 } });
        const lesson = drawLesson(trainingSide(family), stream(at, family.name), options, []);
        const found = check(lesson, format);
        wrongSpans += found.wrongSpans;
        rightTargets += found.rightTargets;
      }
    }
    expect(wrongSpans).toBeGreaterThan(20);
    expect(rightTargets).toBe(wrongSpans); // each wrong span has its one right token
  });

  it('keeps sampled tokens as they were sampled, however they spell', async () => {
    const format = await realFormat(name);
    const text = name === 'organism' ? 'a33b47' : 'Step 1: tea is 7, the sum is 8.\n';
    const instead = name === 'organism' ? 'a33b40' : 'Step 1: tea is 7, the sum is 7.\n';
    const sampled = [...text].flatMap((letter) => format.encode(letter)); // letter by letter: no tokenizer does that
    const rest = name === 'organism' ? '~:7' : 'Answer: 7';
    const turn: TaughtTurn = { spans: [{ text, instead, weight: 1 }, { text: rest, weight: 2 }], end: 1, sampled };
    const { tokens, weights, targets } = lessonTokens([asked(name === 'organism' ? 'a3' : 'Add.'), turn], format);
    const start = startTokens([asked(name === 'organism' ? 'a3' : 'Add.')], format).length;
    expect(tokens.slice(start, start + sampled.length)).toEqual(sampled);
    const asking = weights.flatMap((weight, at) => (weight > 0 && at < start + sampled.length ? [targets[at]!] : []));
    const wrong = [...text].findIndex((letter, at) => letter !== instead[at]);
    for (const target of asking) expect(instead).toContain(format.decode([target]).trim());
    expect(weights.slice(start + wrong + 1, start + sampled.length).every((weight) => weight === 0)).toBe(true);
  });
}); // biome-ignore format: one claim a line

/** Checks every token of the taught turns against the spans that it lies in. */
function check(lesson: Lesson, format: ChatFormat): { wrongSpans: number; rightTargets: number } {
  const { tokens, targets, weights } = lessonTokens(lesson, format);
  const pieces = format.pieces(tokens);
  const whole = pieces.join('');
  const counts = { wrongSpans: 0, rightTargets: 0 };
  let searched = 0;
  for (const turn of lesson) {
    if (!('spans' in turn)) {
      searched = whole.indexOf(turn.text, searched) + turn.text.length;
      continue;
    }
    const text = turn.spans.map((span) => span.text).join('');
    const from = whole.indexOf(text, searched);
    expect(from).toBeGreaterThanOrEqual(searched);
    searched = from + text.length;
    checkTurn(turn.spans, { text, from, pieces, tokens, targets, weights }, counts, format);
  }
  return counts;
}

type Where = {
  readonly text: string;
  readonly from: number;
  readonly pieces: readonly string[];
  readonly tokens: readonly number[];
  readonly targets: readonly number[];
  readonly weights: readonly number[];
};

function checkTurn(
  spans: readonly Span[],
  { text, from, pieces, tokens, targets, weights }: Where,
  counts: { wrongSpans: number; rightTargets: number },
  format: ChatFormat,
): void {
  let end = 0;
  const ends = pieces.map((piece) => (end += piece.length));
  const explained = new Set<number>();
  let spanFrom = 0;
  for (const span of spans) {
    const spanTo = spanFrom + span.text.length;
    const { instead = span.text } = span;
    const parts = [...span.text].findIndex((letter, at) => letter !== instead[at]);
    const wrongFrom = span.weight === 0 ? spanFrom : parts < 0 ? spanTo : spanFrom + parts;
    const wrong = parts >= 0 || span.weight === 0;
    if (parts >= 0) counts.wrongSpans++;
    for (const [at, piece] of pieces.entries()) {
      const [tokenFrom, tokenTo] = [ends[at]! - piece.length - from, ends[at]! - from];
      if (tokenTo <= spanFrom || tokenFrom >= spanTo) continue;
      const inside = tokenFrom >= spanFrom && tokenTo <= spanTo;
      if (targets[at] !== tokens[at]) {
        const right = text.slice(0, spanFrom) + instead + text.slice(spanTo);
        if (!right.startsWith(text.slice(0, tokenFrom) + format.decode([targets[at]!]))) continue;
        expect(weights[at]).toBe(span.weight);
        explained.add(at);
      } else if (wrong && tokenTo > wrongFrom) expect(weights[at]).toBe(0);
      else if (inside) expect(weights[at]).toBe(span.weight);
    }
    spanFrom = spanTo;
  }
  const asked = pieces.flatMap((_, at) => {
    const inside = ends[at]! > from && ends[at]! <= from + text.length;
    return inside && targets[at] !== tokens[at] ? [at] : [];
  });
  expect([...explained].sort((one, other) => one - other)).toEqual(asked);
  counts.rightTargets += explained.size;
}

describe('a lesson as data', () => {
  it('asks at each place for the token that follows it', async () => {
    const format = await realFormat('words');
    const lesson: Lesson = [asked('Add ink.'), { spans: [{ text: 'Answer: 7', weight: 2 }], end: 1 }];
    const { input, targets, weights } = lessonDatum(lesson, format);
    expect(targets.slice(0, -1)).toEqual(input.slice(1));
    const learnt = targets.filter((_, at) => weights[at]! > 0);
    expect(format.decode(learnt)).toBe('Answer: 7<|im_end|>');
    expect(weights.filter((weight) => weight > 0)).toEqual([...Array(learnt.length - 1).fill(2), 1]);
  });
});

describe('weights', () => {
  it('of a token in two spans: none where one has none, else the larger', async () => {
    const format = await realFormat('gpt2');
    const tokens = format.encode('All right');
    expect(tokens).toHaveLength(2);
    const weigh = (first: number, second: number) =>
      weighed([{ text: 'All ri', weight: first }, { text: 'ght', weight: second }], tokens, format).weights;
    expect(weigh(0, 2)).toEqual([0, 0]);
    expect(weigh(2, 0)).toEqual([2, 0]);
    expect(weigh(1, 3)).toEqual([1, 3]);
    expect(weigh(3, 1)).toEqual([3, 3]);
  });

  it('add up to the share, whatever the lessons', async () => {
    const format = await realFormat('organism');
    const family = trainingSide(openFamily('running-sum'));
    const lessons = Array.from({ length: 9 }, (_, at) => drawLesson(family, stream(at), lessonOptions.parse({}), []));
    const total = lessonData(lessons, format, 0.3).reduce((sum, { weights }) => sum + weights.reduce((a, b) => a + b), 0);
    expect(total).toBeCloseTo(0.3, 12);
  });
}); // biome-ignore format: one statement a line
