import { ownPrefix } from '../wrong-turns/own-prefix.ts';
import { opened } from '../wrong-turns/start.ts';
import { habit, oneSlip, rightWork } from '../wrong-turns/wrong-work.ts';
import {
  answeredRight,
  answerless,
  type Bench,
  drawsFor,
  type Findings,
  type Lost,
  type Probe,
  readGreedily,
  row,
  transcripts,
  unreadable,
} from './bench.ts';
import { harvestOwnErrors } from './own-errors.ts';

/**
 * Does the model come back from a wrong step? It continues from an own prefix that ends in a wrong step, injected or
 * sampled by itself, and has to end at the true answer. Mirror: a right prefix of the same length is continued rightly.
 */
export const selfCorrection: Probe = {
  behaviour: 'self-correction',
  tokensPerProblem: 5 * 40,
  async measure(bench) {
    const { family, problems } = bench;
    const report: Findings = { rows: [], transcripts: [] };
    const lost: Lost<(typeof problems)[number]>[] = [];
    for (const what of [...family.slips, undefined]) {
      const pairs = problems.map((problem) => prefixPair(bench, problem, what));
      const treated = await readGreedily(
        bench,
        pairs.map((pair) => pair.treated.conversation),
      );
      const condition = what === undefined ? 'kind=misconception' : `kind=slip,what=${what}`;
      lost.push(answerless(treated));
      report.rows.push(row(bench, 'recovery', condition, treated.map(answeredRight)));
      report.transcripts.push(...transcripts(bench, 'self-correction', condition, treated, answeredRight));
      if (what !== family.slips[0]) continue;
      const control = await readGreedily(
        bench,
        pairs.map((pair) => pair.control.conversation),
      );
      lost.push(answerless(control));
      report.rows.push(row(bench, 'right_prefix_kept', undefined, control.map(answeredRight)));
    }
    const own = await harvestOwnErrors(bench);
    const its = own.map(({ problem }) => problem);
    const prefixes = own.map(({ problem, steps, firstWrong }) =>
      opened(family, problem, steps.slice(0, firstWrong + 1)),
    );
    const recovered = await readGreedily(bench, prefixes, its);
    report.rows.push(row(bench, 'recovery_own', undefined, recovered.map(answeredRight), its));
    report.rows.push(...unreadable(bench, 'recovery', [...lost, { ...answerless(recovered), problems: its }]));
    report.transcripts.push(...transcripts(bench, 'self-correction', 'kind=own', recovered, answeredRight, its));
    return report;
  },
};

/** A prefix that ends in a slip of this kind, or is a habit throughout where none is named; and its right twin. */
function prefixPair<Problem>(bench: Bench<Problem>, problem: Problem, what: string | undefined) {
  const { family } = bench;
  const draws = drawsFor(bench, problem, 'wrong prefix', what ?? 'habit');
  const count = 1 + draws.integer(family.length(problem) - 1);
  const manner = what === undefined ? habit(family, draws) : oneSlip(family, count - 1, draws, what);
  const wrong = family.work(problem, manner, draws, count);
  return ownPrefix(family, problem, rightWork(family, problem, draws, count), wrong);
}
