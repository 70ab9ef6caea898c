import type { Prober, ProbeSettings, ProbeTarget } from '../../probes/prober.ts';
import type { Results } from '../../results/results.ts';

/** A model that can be measured, wherever it is: a folder on this machine or an endpoint. */
export type OpenTarget = {
  readonly target: ProbeTarget;
  readonly prober: Prober;
  /** What is measured: as asked for, or fewer problems where a budget allows no more. */
  readonly settings: ProbeSettings;
  /** Where results are kept; undefined: nowhere. */
  readonly out: string | undefined;
  /** What the results say of the model; asked when all is measured. */
  about(): Promise<Partial<Results['run']>>;
  /** What is left to say while it works: `340 replies, 12 in flight`. */
  readonly progress?: () => string;
  /** Keeps beside the results what only this target has. */
  readonly keep?: (results: Results) => Promise<void>;
  close(): Promise<void>;
};
