import type { output, ZodObject } from 'zod';
import type { Finding } from '../results/lab-finding.ts';

/**
 * @file A claim of the debate as an experiment: what it says *before* it runs, and how it is carried out. The declaration is
 * hashed into the run before the first number exists, and printed beside the outcome.
 */

/** Said before the run. None of it may depend on what comes out. */
export type Declaration = {
  /** What is expected, in one sentence that can be wrong. */
  readonly hypothesis: string;
  /** What is measured, in which unit, over which unit of resampling. */
  readonly metric: string;
  /** What the model is compared with. */
  readonly baselines: string[];
  /** Verifier calls and training tokens of every arm, the calls that a method spends in training included. */
  readonly budget: string;
  /** What would count against the hypothesis. */
  readonly against: string;
  /** What must not be concluded, whatever comes out. */
  readonly notConcluded: string;
};

export type Experiment<Schema extends ZodObject = ZodObject> = {
  /** As on the command line. */
  readonly name: string;
  /** The sentence of the debate. */
  readonly claim: string;
  /** The question that is answered, in plain words. */
  readonly question: string;
  /** Of a run with default options on two cores. */
  readonly minutes: number;
  readonly declaration: Declaration;
  readonly options: Schema;
  run(context: LabContext, options: output<Schema>): Promise<Finding>;
};

/** What a running experiment sees. */
export type LabContext = {
  readonly seed: number;
  /**
   * One piece of work. Its result is written down under its name, so that a resumed run does not do it again: it must be
   * plain JSON and depend on seed, options and name alone.
   * @throws Interrupted on Ctrl-C, before the piece is begun.
   */
  piece<Result>(name: string, work: () => Promise<Result> | Result): Promise<Result>;
  /** How far the current piece is, in [0, 1]. @throws Interrupted on Ctrl-C: let it pass. */
  progress(share: number): void;
};

/** Keeps the type of the options. */
export function defineExperiment<Schema extends ZodObject>(experiment: Experiment<Schema>): Experiment<Schema> {
  return experiment;
}
