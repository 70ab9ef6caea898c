import { join } from 'node:path';
import type { Experiment } from '../../src/lab/experiment.ts';
import { runExperiment } from '../../src/lab/run-experiment.ts';
import type { LabResults } from '../../src/results/lab-results.ts';
import { temporaryFolder } from '../temporary.ts';

/** Runs an experiment with these options in a folder of its own. */
export function runLab(
  experiment: Experiment,
  options: Record<string, unknown>,
  more: { readonly folder?: string; readonly seed?: number; readonly signal?: AbortSignal } = {},
): Promise<LabResults> {
  return runExperiment(experiment, {
    folder: more.folder ?? join(temporaryFolder(), 'lab'),
    options: experiment.options.parse(options),
    seed: more.seed ?? 1,
    versions: {},
    machine: 'a test',
    signal: more.signal ?? new AbortController().signal,
    progress() {},
  });
}
