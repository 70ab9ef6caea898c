import type { Probe } from './bench.ts';
import { reviewGraded } from './review.ts';

/**
 * Does the model find the first wrong step of work that an author labelled? It needs no competence: ProcessBench and
 * BIG-Bench-Mistake ask the same of every model.
 */
export const gradedWork: Probe = {
  behaviour: 'error-checking',
  competence: 'unneeded',
  tokensPerProblem: 0, // most families bring no graded work
  async measure(bench) {
    const cases = bench.problems.flatMap((problem) => {
      const steps = bench.family.brought?.(problem).graded;
      return steps === undefined ? [] : [{ problem, steps }];
    });
    return cases.length === 0 ? { rows: [], transcripts: [] } : reviewGraded(bench, cases);
  },
};
