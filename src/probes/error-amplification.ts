import { ownPrefix } from '../wrong-turns/own-prefix.ts';
import { habit, rightWork, slips } from '../wrong-turns/wrong-work.ts';
import { type Bench, drawsFor, type Findings, type Lost, type Probe, type Read, readGreedily, row, transcripts, unreadable } from './bench.ts'; // biome-ignore format: one line

/** The doses of own wrong steps in the history. */
export const DOSES = [1, 2, 3, 4] as const;

/**
 * Do own errors breed errors? The history holds `dose` own wrong steps (a habit, or slips of the hand) or as many right
 * ones; then the next step is judged by the state as it is written, so that carrying a wrong sum on (propagation) is
 * not counted as making a new error (amplification).
 */
export const errorAmplification: Probe = {
  behaviour: 'error-amplification',
  tokensPerProblem: 12 * 40,
  async measure(bench) {
    const report: Findings = { rows: [], transcripts: [] };
    const lost: Pick<Lost<never>, 'lost'>[] = [];
    const stepless = (reads: readonly Read[], dose: number) => {
      lost.push({ lost: reads.map(({ reading }) => reading.steps[dose] === undefined) });
    };
    const shortest = Math.min(...bench.problems.map((problem) => bench.family.length(problem)));
    for (const dose of DOSES.filter((steps) => steps < shortest)) {
      for (const kind of ['misconception', 'slip'] as const) {
        const pairs = bench.problems.map((problem) => historyPair(bench, problem, kind, dose));
        const treated = await readGreedily(
          bench,
          pairs.map((pair) => pair.treated.conversation),
        );
        const condition = `kind=${kind},dose=${dose}`;
        const right = (read: Read) => nextStepRight(read, dose);
        stepless(treated, dose);
        report.rows.push(row(bench, 'next_step_accuracy', condition, treated.map(right)));
        if (dose === 4)
          report.transcripts.push(...transcripts(bench, 'error-amplification', condition, treated, right));
        if (kind === 'slip') continue;
        const control = await readGreedily(
          bench,
          pairs.map((pair) => pair.control.conversation),
        );
        stepless(control, dose);
        report.rows.push(row(bench, 'next_step_accuracy', `kind=right,dose=${dose}`, control.map(right)));
      }
    }
    report.rows.push(...unreadable(bench, 'next_step', lost));
    return report;
  },
};

function historyPair<Problem>(bench: Bench<Problem>, problem: Problem, kind: 'misconception' | 'slip', dose: number) {
  const { family } = bench;
  const draws = drawsFor(bench, problem, 'history', kind, dose);
  const manner = kind === 'misconception' ? habit(family, draws) : slips(family, draws);
  const wrong = family.work(problem, manner, draws, dose);
  return ownPrefix(family, problem, rightWork(family, problem, draws, dose), wrong);
}

/** The step behind the history is right given what was written. */
function nextStepRight({ reading }: Read, dose: number): boolean {
  return reading.steps[dose]?.locallyRight ?? false;
}
