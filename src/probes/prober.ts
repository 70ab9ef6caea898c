import type { ChatModel, Reply } from '../conversation/chat-model.ts';
import type { Cost } from '../engine/cost.ts';
import type { Behaviour } from '../results/metrics.ts';
import type { Mode } from '../results/mode.ts';
import type { ProbeReport, ProbeTranscript } from '../results/probe-report.ts';

/** A model as a probe sees it: an immutable snapshot, so that training may go on beside it. */
export type ProbeTarget = {
  /** Names the snapshot in messages: `before`, `after verify`. */
  readonly name: string;
  readonly model: ChatModel;
  /** The model that a problem has to be solvable for to count: the one before, on both sides of a comparison. */
  readonly competence: ChatModel;
  /** How it is made to go on from work in its own mouth; absent: prefill. */
  readonly mode?: Mode;
  /** Keeps every reply; absent: only the first few of each condition are kept, in the report. */
  readonly log?: ReplyLog;
  /**
   * Logprobs in nats of the tokens of `count` held-out documents of the kind the base model was trained on, role markers
   * left out; absent where there is no such text.
   */
  baseText?(count: number, seed: number): Promise<readonly (readonly number[])[]>;
};

/** Where every reply of a measurement goes. */
export interface ReplyLog {
  /** What a verifier said of a reply. */
  judged(reply: Reply, transcript: ProbeTranscript): void;
  /** A behaviour, or the competence gate, is done: its replies can be written. */
  end(behaviour: string): Promise<void>;
}

/** What to measure. The seed is the probes' own: test problems are the same in every run of a recipe. */
export type ProbeSettings = {
  readonly problems: number;
  readonly behaviours: readonly Behaviour[];
  readonly seed: number;
};

/** Measures behaviours. Same target, same settings: same report. */
export interface Prober {
  /** The family of its problems. */
  readonly family: string;
  cost(settings: ProbeSettings): Cost;
  /**
   * `doing` is called as the work goes on, with the share done in [0, 1]. It throws `Interrupted` on Ctrl-C: let it pass.
   */
  probe(
    target: ProbeTarget,
    settings: ProbeSettings,
    doing?: (what: string, share: number) => void,
  ): Promise<ProbeReport>;
}
