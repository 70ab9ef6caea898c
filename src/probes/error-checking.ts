import { inWords } from '../problems/problem-family.ts';
import type { ProbeRow } from '../results/probe-report.ts';
import { opened } from '../wrong-turns/start.ts';
import { asked, putIntoMouth } from '../wrong-turns/turns.ts';
import { type Bench, type Findings, type Lost, type Probe, type Read, ratioRow, readGreedily, row, transcripts, unreadable } from './bench.ts'; // biome-ignore format: one line
import { hasSteps } from './family-needs.ts';
import { latentChecking } from './latent-checking.ts';
import { goesOnFromOpenTurns } from './mode.ts';
import { review } from './review.ts';
import { type Arm, type Case, firstWrong, rightCases, wrongArms } from './wrong-cases.ts';

/**
 * Does the model find its own errors, and only errors? Its own worked solution stands there with a wrong step in it or
 * untouched. Three measurements of it: what the model says in the very turn of the work, what it says in a review of its
 * own or the user's finished work, and what its surprise at the written tokens would have said (latent).
 */
export const errorChecking: Probe = {
  behaviour: 'error-checking',
  tokensPerProblem: 9 * 30,
  async measure(bench) {
    if (!hasSteps(bench.family, bench.problems)) return NOTHING;
    const right = rightCases(bench);
    const wrong = await wrongArms(bench);
    const inTurn = checksInTurn(bench) ? await checked(bench, right, wrong.arms) : NOTHING;
    const { rows, latent } = await latentChecking(bench, right, wrong);
    const reviewed = inWords(bench.family) ? await review(bench, right, wrong.arms) : NOTHING;
    return {
      rows: [...inTurn.rows, ...rows, ...reviewed.rows, ...suppressed(rows, reviewed.rows)],
      ...(latent === undefined ? {} : { latent }),
      transcripts: [...inTurn.transcripts, ...reviewed.transcripts],
    };
  },
  async unsolved(bench) {
    if (!hasSteps(bench.family, bench.problems)) return NOTHING;
    const { rows, latent } = await latentChecking(bench, rightCases(bench), await wrongArms(bench));
    return { rows: [...rows], transcripts: [], ...(latent === undefined ? {} : { latent }) };
  },
};

const NOTHING: Findings = { rows: [], transcripts: [] };

/** A model that was raised to checks unasked; any other is begun for, which takes an open turn. */
function checksInTurn<Problem>({ family, target }: Bench<Problem>): boolean {
  return !inWords(family) || (family.checking !== undefined && goesOnFromOpenTurns(target));
}

/** What the model says of its steps in the same turn. J = hits - false alarms. */
async function checked<Problem>(
  bench: Bench<Problem>,
  right: readonly Case<Problem>[],
  arms: readonly Arm<Problem>[],
): Promise<Findings> {
  const reads = await continued(bench, right);
  const alarms = reads.map(falseAlarms);
  const byProblem = new Map(right.map(({ problem }, index) => [bench.family.id(problem), ratio(alarms[index]!)]));
  const findings = [];
  for (const arm of arms) findings.push(await checkedArm(bench, arm, byProblem));
  const flagged = alarms.map(({ numerator }) => numerator > 0);
  const passed = (read: Read) => falseAlarms(read).numerator === 0;
  return {
    rows: [
      ratioRow(bench, 'false_alarm_rate', undefined, alarms),
      row(bench, 'false_alarm_solutions', undefined, flagged),
      ...findings.flatMap(({ rows }) => rows),
      ...unreadable(bench, 'check', [markless(right, reads), ...findings.map(({ lost }) => lost)]),
    ],
    transcripts: [
      ...transcripts(bench, 'error-checking', 'kind=right', reads, passed),
      ...findings.flatMap((found) => found.transcripts),
    ],
  };
}

async function checkedArm<Problem>(
  bench: Bench<Problem>,
  { condition, cases }: Arm<Problem>,
  alarms: ReadonlyMap<string, number>,
): Promise<Findings & { readonly lost: Lost<Problem> }> {
  const problems = cases.map(({ problem }) => problem);
  const reads = await continued(bench, cases);
  const hit = cases.map(({ steps }, index) => Number(flaggedAt(reads[index]!, firstWrong(steps))));
  const j = hit.map((value, index) => value - alarms.get(bench.family.id(problems[index]!))!);
  const found = (read: Read) => flaggedAt(read, firstWrong(read.reading.steps));
  return {
    rows: [row(bench, 'hit_rate', condition, hit, problems), row(bench, 'j', condition, j, problems)],
    transcripts: transcripts(bench, 'error-checking', condition, reads, found, problems),
    lost: markless(cases, reads),
  };
}

/** The model goes on behind the finished work, greedily. */
async function continued<Problem>(bench: Bench<Problem>, cases: readonly Case<Problem>[]): Promise<Read[]> {
  const { family } = bench;
  const problems = cases.map(({ problem }) => problem);
  const conversations = cases.map(({ problem, steps }) => {
    if (family.checking === undefined) return opened(family, problem, steps);
    const work = steps.map(({ text }) => text).join('');
    return [asked(family.prompt(problem)), putIntoMouth(`${work}${family.checking}`)];
  });
  const reads = await readGreedily(bench, conversations, problems);
  if (family.checking === undefined) return reads;
  return reads.map((read, index) => ({ ...read, reading: { ...read.reading, steps: cases[index]!.steps } }));
}

/** Replies that hold no mark at all. */
const markless = <Problem>(cases: readonly Case<Problem>[], reads: readonly Read[]): Lost<Problem> => ({
  lost: reads.map(({ reading }) => reading.marks.every((mark) => mark === undefined)),
  problems: cases.map(({ problem }) => problem),
});

const flaggedAt = (read: Read, position: number): boolean => read.reading.marks[position] === 'wrong';

/** Right steps that were called wrong, over right steps. */
function falseAlarms({ reading }: Read): { numerator: number; denominator: number } {
  const right = [...reading.steps.keys()].filter((at) => reading.steps[at]!.right);
  return { numerator: right.filter((at) => reading.marks[at] === 'wrong').length, denominator: right.length };
}

const ratio = ({ numerator, denominator }: { numerator: number; denominator: number }): number =>
  numerator / Math.max(1, denominator);

/** What the model's surprise tells beyond what it says of the same work of its own: what consistency suppresses. */
function suppressed(latent: readonly ProbeRow[], reviewed: readonly ProbeRow[]): ProbeRow[] {
  return latent.flatMap(({ condition, outcomes }) => {
    const said = reviewed.find((one) => one.metric === 'review_j' && one.condition === `said=own,${condition}`);
    const j = new Map(said?.outcomes.map(({ problem, numerator }) => [problem, numerator]));
    const gap = outcomes.filter(({ problem }) => j.has(problem)).map((one) => {
      return { ...one, numerator: one.numerator - j.get(one.problem)! };
    });
    return gap.length === 0 ? [] : [{ metric: 'suppressed_checking' as const, condition, outcomes: gap }];
  });
} // biome-ignore format: one line a statement
