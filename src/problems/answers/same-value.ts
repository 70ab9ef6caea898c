import { decimal, equal, spell, times } from './rational.ts';
import { sameScalar } from './same-scalar.ts';
import { isUnordered, type Value } from './value.ts';

type Number = Extract<Value, { kind: 'number' }>;
type Several = Extract<Value, { kind: 'several' }>;
type Relation = Extract<Value, { kind: 'relation' }>;

/** Whether two answers are the same; undefined where that cannot be told. */
export function sameValue(a: Value, b: Value): boolean | undefined {
  if (a.form !== '' && a.form === b.form && (a.kind === 'text') === (b.kind === 'text')) return true;
  if (a.kind === 'number' && b.kind === 'number') return sameNumber(a, b);
  if (a.kind === 'text' || b.kind === 'text') return a.kind === b.kind ? false : undefined;
  if (a.kind === 'several' || b.kind === 'several') return sameSeveral(a, b);
  if (a.kind === 'based' || b.kind === 'based') return sameBased(a, b);
  if (a.kind === 'relation' && b.kind === 'relation') return sameRelation(a, b);
  if (a.kind === 'relation' || b.kind === 'relation') return undefined;
  return sameInfinity(a.form, b.form) ?? sameScalar(latexOf(a), latexOf(b));
}

const INFINITY = /^[-+]?\\infty$/;

/** Infinite is what says so. */
function sameInfinity(a: string, b: string): boolean | undefined {
  if (!INFINITY.test(a) && !INFINITY.test(b)) return undefined;
  return a.replace('+', '') === b.replace('+', '');
}

const HUNDREDTH = decimal('', '01');

/** 50 % is 50 where percents are asked for, and 0.5 elsewhere: either is right. Other units must not contradict. */
function sameNumber(a: Number, b: Number): boolean | undefined {
  const same = equal(a.value, b.value);
  if (a.percent !== b.percent) {
    const [whole, share] = a.percent ? [a.value, b.value] : [b.value, a.value];
    return same || equal(times(whole, HUNDREDTH), share);
  }
  const contradict = a.unit !== '' && b.unit !== '' && a.unit !== b.unit;
  return contradict ? undefined : same;
}

function latexOf(value: Exclude<Value, Several | Relation>): string {
  if (value.kind === 'scalar') return value.latex;
  if (value.kind !== 'number') return value.form;
  const [over, under] = spell(value.value).split('/');
  const exact = under === undefined ? over! : `\\frac{${over}}{${under}}`; // a spelling is not empty
  return value.unit === '°' ? `${exact}\\cdot\\frac{\\pi}{180}` : exact;
}

/** Digits alone may mean the same base or ten: that is not to be told. */
function sameBased(a: Value, b: Value): boolean | undefined {
  if (a.kind !== 'based' || b.kind !== 'based') return undefined;
  return a.base === b.base ? a.digits === b.digits : undefined;
}

function sameSeveral(a: Value, b: Value): boolean | undefined {
  if (a.kind !== 'several' || b.kind !== 'several') return sameAsOne(a, b);
  if (isUnordered(a.brackets) && isUnordered(b.brackets)) return sameInAnyOrder(a.parts, b.parts);
  if (a.brackets === b.brackets) return sameInOrder(a.parts, b.parts);
  if (isInterval(a) && isInterval(b)) return false;
  if (!isRow(a) || !isRow(b)) return undefined;
  if ((a.brackets === 'list' || b.brackets === 'list') && sameInOrder(a.parts, b.parts)) return true;
  return sameInAnyOrder(a.parts, b.parts) === false ? false : undefined;
}

/** What a union or a matrix comes to may be written as something else; these are what stands in them. */
const isRow = ({ brackets }: Several): boolean => brackets !== 'union' && brackets !== 'matrix';

const isInterval = ({ brackets }: Several): boolean => /^[([][)\]]$/.test(brackets);

/** A set of one is as good as what is in it; a list or a tuple is not the same as one number. */
function sameAsOne(a: Value, b: Value): boolean | undefined {
  const [some, one] = a.kind === 'several' ? [a, b] : [b as Several, a]; // one of the two is
  if (some.parts.length === 1 && isUnordered(some.brackets)) return sameValue(some.parts[0]!, one); // there is one
  return some.brackets === 'list' ? undefined : false;
}

function sameInOrder(a: readonly Value[], b: readonly Value[]): boolean | undefined {
  return a.length === b.length && every(a.map((value, index) => sameValue(value, b[index]!))); // as long
}

/** Each finds one of its own: a value that stands in both once cannot be the partner of two. */
function sameInAnyOrder(a: readonly Value[], b: readonly Value[]): boolean | undefined {
  const [one, other] = [distinct(a), distinct(b)];
  if (one.length !== other.length || one.length > MOST_PARTS) return one.length > MOST_PARTS ? undefined : false;
  return every(one.map((value) => some(other.map((candidate) => sameValue(value, candidate)))));
}

const MOST_PARTS = 24;

const distinct = (values: readonly Value[]): Value[] =>
  values.filter((value, index) => !values.slice(0, index).some((before) => sameValue(value, before)));

const every = (all: readonly (boolean | undefined)[]): boolean | undefined =>
  all.includes(false) ? false : all.includes(undefined) ? undefined : true;

const some = (all: readonly (boolean | undefined)[]): boolean | undefined =>
  all.includes(true) ? true : all.includes(undefined) ? undefined : false;

/** The same line or curve: one side less the other is the same up to a factor. */
function sameRelation(a: Relation, b: Relation): boolean | undefined {
  const difference = ({ left, right }: Relation) => `(${left})-(${right})`;
  if (a.sign === '=' && b.sign === '=') return sameScalar(difference(a), difference(b), 'up to a factor');
  return undefined;
}
