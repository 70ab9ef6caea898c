import { z } from 'zod';
import type { Stream } from '../random.ts';
import { affirmed } from './final-answer.ts';
import type { Manner, ProblemFamily } from './problem-family.ts';
import { chatFamily } from './worked-task.ts';

/** People swap what they hold; who holds what in the end? Of the kind of BIG-Bench's shuffled objects (2206.04615). */
export type SwappedObjects = {
  readonly people: readonly string[];
  /** What each of them holds at the start, distinct. */
  readonly balls: readonly string[];
  readonly swaps: readonly (readonly [string, string])[];
  readonly asked: string;
};

/** What the two of a swap hold after it. */
type Step = { readonly pair: readonly [string, string]; readonly hold: readonly [string, string] };

export const swappedObjectsDials = z.strictObject({
  people: z.int().min(3).max(10).default(4).describe('people, each with a ball'),
  swaps: z.int().min(2).max(40).default(6).describe('swaps: steps'),
});

const PEOPLE = ['Alice', 'Bob', 'Cara', 'Dan', 'Eve', 'Fay', 'Gus', 'Hana', 'Ivan', 'Joy'] as const;
const BALLS = ['red', 'blue', 'green', 'yellow', 'white', 'black', 'purple', 'orange', 'pink', 'brown'] as const;

export function swappedObjects(dials: z.output<typeof swappedObjectsDials>): ProblemFamily<SwappedObjects> {
  return chatFamily<SwappedObjects, Step>({
    name: 'swapped-objects',
    slips: ['not swapped', 'third ball'],
    misconceptions: ['nothing changes', 'takes and keeps'],
    replyTokens: 120 + 40 * dials.swaps,
    instruction:
      'Follow the balls. Write one line a swap, with what the two hold after it, like "Step 1: Kim has the grey ball, Lou has the gold ball."',
    answerForm: '<colour>',
    draw: (draws) => draw(dials, draws),
    pieces: ({ people, balls, swaps, asked }) => [
      `Which ball does ${asked} have in the end?`,
      `At the start, ${people.map((name, index) => `${name} has the ${balls[index]} ball`).join(', ')}.`,
      ...swaps.map(([a, b]) => `Then ${a} and ${b} swap.`),
    ],
    length: ({ swaps }) => swaps.length,
    next(problem, before, manner, draws) {
      const pair = problem.swaps[before.length]!;
      return { pair, hold: handOver(problem, holdings(problem, before), pair, manner, draws) };
    },
    line: (_, _before, { pair, hold }) => `${pair[0]} has the ${hold[0]} ball, ${pair[1]} has the ${hold[1]} ball.`,
    parse({ swaps, people, balls }, line, at) {
      const said = held(people, balls, line);
      const pair = swaps[at];
      const [first, second] = [said.get(pair?.[0] ?? ''), said.get(pair?.[1] ?? '')];
      return pair && first && second ? { pair, hold: [first, second] } : undefined;
    },
    key: ({ pair, hold }) => [...pair, ...hold].join(' '),
    concludes: (problem, steps) => holdings(problem, steps).get(problem.asked)!,
    answersIn: ({ balls }, statement) =>
      affirmed(statement).flatMap((part) => balls.filter((ball) => new RegExp(`\\b${ball}\\b`, 'i').test(part))),
    amend(problem, draws) {
      const [a, b] = draws.shuffle([...problem.people.keys()]);
      const balls = problem.balls.map((ball, at) => problem.balls[at === a ? b! : at === b ? a! : at] ?? ball);
      const has = (at: number, held: readonly string[]) => `${problem.people[at]} has the ${held[at]} ball`;
      const said = (held: readonly string[]) => `Correction: at the start, ${has(a!, held)} and ${has(b!, held)}.`;
      return { text: said(balls), same: said(problem.balls), changed: { ...problem, balls } };
    },
  });
}

/** One who is asked about takes part in the last swap, else it could not matter. */
function draw({ people: count, swaps: rounds }: z.output<typeof swappedObjectsDials>, draws: Stream): SwappedObjects {
  const people = PEOPLE.slice(0, count);
  const balls = draws.shuffle(BALLS).slice(0, count);
  const swaps = Array.from({ length: rounds }, () => draws.shuffle(people).slice(0, 2) as [string, string]); // two of three or more
  return { people, balls, swaps, asked: swaps.at(-1)![draws.integer(2)]! };
}

/** Who holds what after these steps. */
function holdings({ people, balls }: SwappedObjects, steps: readonly Step[]): Map<string, string> {
  const holds = new Map(people.map((name, index) => [name, balls[index]!]));
  for (const { pair, hold } of steps) for (const at of [0, 1] as const) holds.set(pair[at], hold[at]);
  return holds;
}

function handOver(
  { balls }: SwappedObjects,
  holds: ReadonlyMap<string, string>,
  [a, b]: readonly [string, string],
  manner: Manner,
  draws: Stream,
): readonly [string, string] {
  const [ofA, ofB] = [holds.get(a)!, holds.get(b)!];
  if (manner.kind === 'right') return [ofB, ofA];
  if (manner.kind === 'misconception') return manner.name === 'takes and keeps' ? [ofB, ofB] : [ofA, ofB];
  if (manner.what === 'not swapped' && ofA !== ofB) return [ofA, ofB];
  return [draws.pick(balls.filter((ball) => ball !== ofA && ball !== ofB)), ofA];
}

/** Name and colour with nothing but "now has the" between them; the last word on somebody counts. */
function held(people: readonly string[], balls: readonly string[], line: string): Map<string, string> {
  const said = new RegExp(
    `\\b(${people.join('|')})\\b(?:\\s+(?:now|then|has|holds|have|gets|with|is|holding|the|a)\\b|\\s*[:=→>-])*\\s+(?:the\\s+)?(${balls.join('|')})\\b`,
    'gi',
  );
  const name = (written: string) => people.find((known) => known.toLowerCase() === written.toLowerCase())!;
  return new Map([...line.matchAll(said)].map(([, who, ball]) => [name(who!), ball!.toLowerCase()]));
}
