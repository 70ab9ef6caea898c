import type { Manner, WorkedStep } from '../problems/problem-family.ts';
import type { Stream } from '../random.ts';
import { opened, ownPrefix } from '../wrong-turns/own-prefix.ts';
import { asked, putIntoMouth } from '../wrong-turns/turns.ts';
import { habit, oneSlip, rightWork } from '../wrong-turns/wrong-work.ts';
import { type Bench, drawsFor, type Probe, type Read, ratioRow, readGreedily, row, transcripts } from './bench.ts';
import { harvestOwnErrors } from './own-errors.ts';
import { SURPRISED, surprisedSteps } from './surprise.ts';

/**
 * Does the model find its own errors, and only errors? Its own worked solution stands there with a wrong step in it or
 * untouched; it goes on, and what it says of its steps is read. Beside what it says (expressed) stands what its
 * surprise at the written tokens would have said (latent). J = hits - false alarms.
 */
export const errorChecking: Probe = {
  behaviour: 'error-checking',
  metrics: ['hit_rate', 'false_alarm_rate', 'false_alarm_solutions', 'j', 'latent_j'],
  tokensPerProblem: 9 * 30,
  async measure(bench) {
    const untouched = await measureUntouched(bench);
    const arms = await wrongArms(bench);
    const findings = [];
    for (const arm of arms) findings.push(await measureArm(bench, arm, untouched.byProblem));
    return {
      rows: [...untouched.rows, ...findings.flatMap(({ rows }) => rows)],
      ...(untouched.latent === undefined
        ? {}
        : { latent: { rule: LATENT_RULE, rows: [untouched.latent, ...findings.flatMap(({ latent }) => latent)] } }),
      transcripts: [...untouched.transcripts, ...findings.flatMap((found) => found.transcripts)],
    };
  },
};

/** Work in which a wrong step is to be found. */
type Case<Problem> = { readonly problem: Problem; readonly steps: readonly WorkedStep[] };

type Arm<Problem> = {
  readonly kind: 'slip' | 'misconception' | 'own';
  readonly condition: string;
  readonly cases: readonly Case<Problem>[];
};

/** False alarms of a problem's untouched side, per right step: the other half of J. */
type Alarms = ReadonlyMap<string, { readonly expressed: number; readonly latent: number }>;

const LATENT_RULE = `largest f over the tokens of a step > ${SURPRISED}, f = 1 - p(written) / max p`;

async function measureUntouched<Problem>(bench: Bench<Problem>) {
  const { family, problems } = bench;
  const cases = problems.map((problem) => {
    return { problem, steps: rightWork(family, problem, drawsFor(bench, problem, 'untouched')) };
  });
  const reads = await continued(bench, cases);
  const alarms = reads.map(falseAlarms);
  const surprised = await surprisedSteps(bench, cases);
  const outcomes = surprised?.map((flags, index) => {
    return { problem: family.id(problems[index]!), numerator: flags.filter(Boolean).length, denominator: flags.length };
  });
  const byProblem: Alarms = new Map(
    problems.map((problem, index) => {
      const latent = outcomes === undefined ? 0 : outcomes[index]!.numerator / outcomes[index]!.denominator;
      return [family.id(problem), { expressed: ratio(alarms[index]!), latent }];
    }),
  );
  return {
    rows: [
      ratioRow(bench, 'false_alarm_rate', undefined, alarms),
      row(
        bench,
        'false_alarm_solutions',
        undefined,
        alarms.map(({ numerator }) => numerator > 0),
      ),
    ],
    latent: outcomes && { kind: 'right' as const, position: 0, outcomes },
    transcripts: transcripts(bench, 'error-checking', 'kind=right', reads, (read) => falseAlarms(read).numerator === 0),
    byProblem,
  };
}

async function measureArm<Problem>(bench: Bench<Problem>, { kind, condition, cases }: Arm<Problem>, alarms: Alarms) {
  const problems = cases.map(({ problem }) => problem);
  const ids = problems.map((problem) => bench.family.id(problem));
  const reads = await continued(bench, cases);
  const surprised = await surprisedSteps(bench, cases);
  const hit = cases.map(({ steps }, index) => Number(flagged(reads[index]!, firstWrong(steps))));
  const j = hit.map((value, index) => value - alarms.get(ids[index]!)!.expressed);
  const latentJ = surprised?.map((flags, index) => {
    return Number(flags[firstWrong(cases[index]!.steps)]) - alarms.get(ids[index]!)!.latent;
  });
  return {
    rows: [
      row(bench, 'hit_rate', condition, hit, problems),
      row(bench, 'j', condition, j, problems),
      ...(latentJ === undefined ? [] : [row(bench, 'latent_j', condition, latentJ, problems)]),
    ],
    latent: surprised === undefined ? [] : latentByPosition(kind, cases, surprised, ids),
    transcripts: transcripts(
      bench,
      'error-checking',
      condition,
      reads,
      (read) => flagged(read, firstWrong(read.reading.steps)),
      problems,
    ),
  };
}

/** Surprise at the n-th step that is wrong given what was written before it: a habit is less surprising each time. */
function latentByPosition<Problem>(
  kind: Arm<Problem>['kind'],
  cases: readonly Case<Problem>[],
  surprised: readonly (readonly boolean[])[],
  ids: readonly string[],
) {
  const places = cases.map(({ steps }) => [...steps.keys()].filter((at) => !steps[at]!.locallyRight));
  const most = Math.max(0, ...places.map((wrong) => wrong.length));
  return Array.from({ length: most }, (_, nth) => ({
    kind,
    position: nth + 1,
    outcomes: cases.flatMap((_, index) => {
      const at = places[index]![nth];
      return at === undefined
        ? []
        : [{ problem: ids[index]!, numerator: Number(surprised[index]![at]), denominator: 1 }];
    }),
  }));
}

/** The model goes on behind the finished work, greedily; one that does not check unasked is asked to. */
async function continued<Problem>(bench: Bench<Problem>, cases: readonly Case<Problem>[]): Promise<Read[]> {
  const { family } = bench;
  const { review } = family;
  const problems = cases.map(({ problem }) => problem);
  const conversations = cases.map(({ problem, steps }) => {
    if (review === undefined) return opened(family, problem, steps);
    return [asked(family.prompt(problem)), putIntoMouth(family.reply(steps)), asked(review)];
  });
  const reads = await readGreedily(bench, conversations, problems);
  if (review === undefined) return reads;
  return reads.map((read, index) => ({ ...read, reading: { ...read.reading, steps: cases[index]!.steps } }));
}

/** The kinds of wrong step, each over all problems; own errors over those problems that yield one. */
async function wrongArms<Problem>(bench: Bench<Problem>): Promise<Arm<Problem>[]> {
  const { family } = bench;
  const slipArms = family.slips.map((what): Arm<Problem> => {
    const cases = wrongCases(bench, what, (draws, length) => oneSlip(family, draws.integer(length), draws, what));
    return { kind: 'slip', condition: `kind=slip,what=${what}`, cases };
  });
  const habits = wrongCases(bench, 'habit', (draws) => habit(family, draws));
  const own = await harvestOwnErrors(bench);
  return [
    ...slipArms,
    { kind: 'misconception', condition: 'kind=misconception', cases: habits },
    { kind: 'own', condition: 'kind=own', cases: own },
  ];
}

function wrongCases<Problem>(
  bench: Bench<Problem>,
  name: string,
  manner: (draws: Stream, length: number) => (position: number) => Manner,
): Case<Problem>[] {
  const { family } = bench;
  return bench.problems.map((problem) => {
    const draws = drawsFor(bench, problem, 'flipped', name);
    const steps = family.work(problem, manner(draws, family.length(problem)), draws);
    ownPrefix(family, problem, rightWork(family, problem, draws), steps); // the pair: only the work may differ
    return { problem, steps };
  });
}

const firstWrong = (steps: readonly WorkedStep[]): number => steps.findIndex((step) => !step.right);

const flagged = (read: Read, position: number): boolean => read.reading.marks[position] === 'wrong';

/** Right steps that were called wrong, over right steps. */
function falseAlarms({ reading }: Read): { numerator: number; denominator: number } {
  const right = [...reading.steps.keys()].filter((at) => reading.steps[at]!.right);
  return { numerator: right.filter((at) => reading.marks[at] === 'wrong').length, denominator: right.length };
}

const ratio = ({ numerator, denominator }: { numerator: number; denominator: number }): number =>
  numerator / Math.max(1, denominator);
