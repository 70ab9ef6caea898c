import { type Conversation, mergeTurns, type Turn } from '../conversation/conversation.ts';
import type { Datum, TokenIds } from '../engine/engine.ts';
import { InputError } from '../errors.ts';
import type { ChatFormat } from './chat-format.ts';

/**
 * @file A lesson: a conversation whose assistant turns are spans with weights in the loss, and the tokens of it, for any
 * tokenizer. Nothing wrong is ever asked for: wrong text has no weight, but at the first token in which it departs from
 * what would have been right, the right token may be the target.
 */

/**
 * A stretch of a turn. `weight` is that of its tokens in the loss. With `instead` the text is wrong and `instead` would
 * have been right: the tokens that both begin with are asked for, then the right token at the place where they part, and
 * nothing behind it.
 */
export type Span = { readonly text: string; readonly weight: number; readonly instead?: string };

/** An assistant's turn to learn from. */
export type TaughtTurn = {
  readonly spans: readonly Span[];
  /** Weight of the token that ends the turn; absent: the turn stays open, and nothing follows it. */
  readonly end?: number;
  /** The tokens of the beginning of the turn, where the model sampled it: they keep their ids. */
  readonly sampled?: TokenIds;
};

export type Lesson = readonly (Turn | TaughtTurn)[];

/** What a lesson needs of a {@link ChatFormat}. */
export type LessonFormat = Pick<ChatFormat, 'encode' | 'decode' | 'pieces' | 'render' | 'prompt' | 'stop'>;

/** A lesson in tokens: `targets[t]` is asked for in the place of `tokens[t]`, with `weights[t]`. */
export type LessonTokens = {
  readonly tokens: TokenIds;
  readonly targets: TokenIds;
  readonly weights: readonly number[];
};

/**
 * Puts a lesson into tokens. A token that lies in several spans has no weight where one of them has none, else the
 * largest of their weights.
 * @throws InputError where the tokenizer does not keep a turn's text, or sampled tokens are not its beginning.
 */
export function lessonTokens(lesson: Lesson, format: LessonFormat): LessonTokens {
  const parts = fitting(format, lesson);
  const last = parts.at(-1);
  if (last && isTaught(last) && last.end === undefined) return openLesson(parts, last, format);
  return closedLesson(parts, format);
}

/** Every turn closed. */
function closedLesson(parts: Lesson, format: LessonFormat): LessonTokens {
  const { tokens, spans } = format.render(parts.map(asTurn));
  const assistants = parts.filter((part) => isTaught(part) || part.role === 'assistant');
  const stretches: LessonTokens[] = [];
  let done = 0;
  for (const [index, part] of assistants.entries()) {
    if (!isTaught(part)) continue;
    const { start, end } = spans[index]!; // one an assistant's turn
    const next = spans[index + 1]?.start ?? tokens.length;
    stretches.push(unweighted(tokens.slice(done, start)), turnTokens(part, tokens.slice(start, end), format));
    stretches.push(footerTokens(tokens.slice(end, next), part.end ?? 0, format.stop));
    done = next;
  }
  return joined([...stretches, unweighted(tokens.slice(done))]);
}

/** The last turn is left open. */
function openLesson(parts: Lesson, last: TaughtTurn, format: LessonFormat): LessonTokens {
  const before = parts.slice(0, -1);
  const context = format.prompt(before.map(asTurn));
  const whole = format.prompt(parts.map(asTurn));
  return joined([unweighted(context), turnTokens(last, whole.slice(context.length), format)]);
}

const isTaught = (part: Turn | TaughtTurn): part is TaughtTurn => 'spans' in part;

const asTurn = (part: Turn | TaughtTurn): Turn =>
  isTaught(part) ? { role: 'assistant', text: textOf(part.spans), origin: 'given' } : part;

const textOf = (spans: readonly Span[]): string => spans.map(({ text }) => text).join('');

const unweighted = (tokens: TokenIds): LessonTokens => ({ tokens, targets: tokens, weights: tokens.map(() => 0) });

const joined = (stretches: readonly LessonTokens[]): LessonTokens => ({
  tokens: stretches.flatMap(({ tokens }) => tokens),
  targets: stretches.flatMap(({ targets }) => targets),
  weights: stretches.flatMap(({ weights }) => weights),
});

/** What stands behind a turn's text: only the token that ends the turn is asked for. */
function footerTokens(tokens: TokenIds, end: number, stop: TokenIds): LessonTokens {
  const at = tokens.findIndex((token) => stop.includes(token));
  return { tokens, targets: tokens, weights: tokens.map((_, index) => (index === at ? end : 0)) };
}

function turnTokens({ spans, sampled = [] }: TaughtTurn, rendered: TokenIds, format: LessonFormat): LessonTokens {
  const text = textOf(spans);
  const tokens = sampled.length === 0 ? rendered : continued(text, sampled, format);
  return weighed(spans, tokens, format);
}

/** The sampled tokens, and behind them those of the rest of the text. */
function continued(text: string, sampled: TokenIds, format: LessonFormat): TokenIds {
  const begun = format.decode(sampled);
  if (text.startsWith(begun)) return [...sampled, ...format.encode(text.slice(begun.length))];
  throw new InputError(`sampled tokens read ${quoted(begun)}, which is not how the turn begins: ${quoted(text)}`);
}

const quoted = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);

/** The tokens of a text with the weights of the spans that it is made of. */
export function weighed(spans: readonly Span[], tokens: TokenIds, format: Spelling): LessonTokens {
  const text = textOf(spans);
  const places = placesOf(format.pieces(tokens), text);
  const alone = { tokens: format.encode(text), text };
  const weights = tokens.map(() => Number.NaN);
  const targets = [...tokens];
  let [from, first] = [0, 0];
  for (const span of spans) {
    const to = from + span.text.length;
    const parting = partingOf(span, from, { tokens, places, alone }, format);
    while (first < places.length && places[first]!.to <= from && places[first]!.from < from) first++; // below the length
    for (let at = first; at < places.length && places[at]!.from < to; at++) {
      if (!overlaps(places[at]!, from, to)) continue; // one a token, here and below
      weights[at] = together(weights[at]!, at < parting.at ? span.weight : 0);
    }
    if (parting.token !== undefined) {
      targets[parting.at] = parting.token;
      weights[parting.at] = span.weight;
    }
    from = to;
  }
  return { tokens, targets, weights: weights.map((weight) => (Number.isNaN(weight) ? 0 : weight)) };
}

type Spelling = Pick<LessonFormat, 'encode' | 'pieces'>;

/** Of a token in two spans: nothing where one of them has nothing, else the larger weight. NaN: in none so far. */
function together(before: number, weight: number): number {
  if (Number.isNaN(before)) return weight;
  return before === 0 || weight === 0 ? 0 : Math.max(before, weight);
}

/** A stretch of characters, `to` exclusive. */
type Place = { readonly from: number; readonly to: number };

/** Where each token lies in the text. The first and the last may reach over its ends, into blanks of the template. */
function placesOf(pieces: readonly string[], text: string): Place[] {
  const whole = pieces.join('');
  const lead = whole.indexOf(text);
  if (lead < 0 || whole.trim() !== text.trim()) {
    throw new InputError(`the tokenizer does not keep ${quoted(text)} as it is; a lesson needs one that does`);
  }
  let from = -lead;
  return pieces.map((piece) => {
    const place = { from, to: from + piece.length };
    from = place.to;
    return place;
  });
}

/** A token that shows no character yet lies where its character will begin. */
const overlaps = (place: Place, from: number, to: number): boolean =>
  place.from < to && Math.max(place.to, place.from + 1) > from;

type Text = {
  readonly tokens: TokenIds;
  readonly places: readonly Place[];
  /** The text and its tokens as the tokenizer puts it alone: what is right in its place is compared with these. */
  readonly alone: { readonly text: string; readonly tokens: TokenIds };
};

/**
 * Where a span parts from what would have been right in its place, and the token that is right there. Behind all tokens
 * where nothing is wrong; before them where what was sampled is no token of the tokenizer's own, so that nothing can be
 * compared.
 */
function partingOf(
  { text, instead }: Span,
  from: number,
  { tokens, places, alone }: Text,
  format: Spelling,
): { at: number; token?: number } {
  if (instead === undefined || instead === text) return { at: tokens.length };
  const right = format.encode(alone.text.slice(0, from) + instead + alone.text.slice(from + text.length));
  const differs = alone.tokens.findIndex((token, index) => token !== right[index]);
  const [place] = placesOf(format.pieces(alone.tokens), alone.text).slice(differs);
  const at = places.findIndex((one) => one.from === place?.from && one.to === place.to);
  const token = right[differs];
  const comparable = place !== undefined && overlaps(place, from, from + text.length) && token !== undefined;
  return comparable && tokens[at] === alone.tokens[differs] ? { at, token } : { at: 0 };
}

/** One lesson as a training sequence. */
export function lessonDatum(lesson: Lesson, format: LessonFormat): WeightedDatum {
  const { tokens, targets, weights } = lessonTokens(lesson, format);
  return { input: tokens.slice(0, -1), targets: targets.slice(1), weights: weights.slice(1) };
}

export type WeightedDatum = Datum & { readonly targets: TokenIds; readonly weights: readonly number[] };

/** Data whose cross entropies add up to `share` times their weighted mean: losses are sums, learning rates want means. */
export function lessonData(lessons: readonly Lesson[], format: LessonFormat, share = 1): WeightedDatum[] {
  return scaled(lessons.map((lesson) => lessonDatum(lesson, format)), share);
} // biome-ignore format: one line a statement

/** The same data with weights that add up to `share`; none where nothing has a weight. */
export function scaled<Weighed extends { readonly weights: readonly number[] }>(
  data: readonly Weighed[],
  share: number,
): Weighed[] {
  const total = data.reduce((sum, { weights }) => sum + weights.reduce((a, b) => a + b, 0), 0);
  if (total === 0) return [];
  return data.map((datum) => ({ ...datum, weights: datum.weights.map((weight) => (share * weight) / total) }));
}

/** The lesson as a template takes it: user turns in a row become one where it insists on turns that alternate. */
function fitting(format: LessonFormat, lesson: Lesson): Lesson {
  if (!alternates(format)) return lesson;
  const fit: (Turn | TaughtTurn)[] = [];
  for (const part of lesson) {
    const last = fit.at(-1);
    const merged = last && !isTaught(last) && !isTaught(part) ? mergeTurns([last, part]) : [];
    if (merged.length === 1) fit[fit.length - 1] = merged[0]!;
    else fit.push(part);
  }
  return fit;
}

const known = new WeakMap<object, boolean>();

/** Some templates insist on turns that alternate, and throw. Tried once a format. */
function alternates(format: Pick<LessonFormat, 'render'>): boolean {
  const before = known.get(format);
  if (before !== undefined) return before;
  const answer = refuses(format, TWO_IN_A_ROW);
  known.set(format, answer);
  return answer;
}

const TWO_IN_A_ROW: Conversation = ['a', 'b'].map((text) => ({ role: 'user', text, origin: 'given' }));

function refuses(format: Pick<LessonFormat, 'render'>, conversation: Conversation): boolean {
  try {
    format.render(conversation);
    return false;
  } catch {
    return true;
  }
}

/** What a model goes on from, in tokens, as {@link lessonTokens} puts it: sampled tokens keep their ids. */
export function startTokens(
  conversation: Conversation,
  format: Pick<LessonFormat, 'render' | 'prompt'>,
  sampled: TokenIds = [],
): TokenIds {
  const fit = alternates(format) ? mergeTurns(conversation) : conversation;
  if (sampled.length === 0) return format.prompt(fit);
  return [...format.prompt(fit.slice(0, -1)), ...sampled];
}
