import type { Behaviour, MetricName } from '../results/metrics.ts';
import type { ProbeRow, Results } from '../results/results.ts';
import { formatCount } from './format.ts';

/** Something else that could have made a number, and what was done about it. */
export type Confound = {
  readonly behaviour: Behaviour;
  readonly threat: string;
  /** `controlled`: the design rules it out, or a row shows it apart. `told`: it is there, and this is how much. */
  readonly state: 'controlled' | 'told';
  readonly how: string;
};

type Entry = readonly [threat: string, state: Confound['state'], how: string | ((facts: Facts) => string | undefined)];

/**
 * What else could have made the numbers of a measurement in words, behaviour by behaviour: either the design controls it,
 * or its size is told. Empty where problems were not gated, or are in the organism's notation, whose text is known.
 */
export function confounds(results: Results): Confound[] {
  const inWords = results.run.problems?.some(({ family, gate }) => gate && family !== 'running-sum');
  if (!inWords) return [];
  const facts = new Facts(results);
  return (Object.keys(THREATS) as Behaviour[]).flatMap((behaviour) => { // its own keys
    if (!facts.measured(behaviour)) return [];
    return THREATS[behaviour].flatMap(([threat, state, how]): Confound[] => {
      const said = typeof how === 'string' ? how : how(facts);
      return said === undefined ? [] : [{ behaviour, threat, state, how: said }];
    });
  }); // biome-ignore format: one thought
}

/** What a run knows of itself. */
class Facts {
  readonly #results: Results;

  constructor(results: Results) {
    this.#results = results;
  }

  measured(behaviour: Behaviour): boolean {
    return this.#results.probes.some((row) => row.behaviour === behaviour && row.metric !== 'unreadable');
  }

  row(metric: MetricName, condition?: string): ProbeRow | undefined {
    return this.#results.probes.find((row) => row.metric === metric && row.condition === condition);
  }

  /** `0.93`; undefined where it was not measured. */
  value(metric: MetricName, condition?: string): string | undefined {
    const row = this.row(metric, condition);
    return row && (row.after ?? row.before).value.toFixed(3);
  }

  gate(): string {
    const gates = this.#results.run.problems!.flatMap(({ gate }) => gate ?? []); // looked at before
    const sum = (part: 'passed' | 'drawn') => formatCount(gates.reduce((total, gate) => total + gate[part], 0));
    return `only problems solved in 3 of 4 other samples: ${sum('passed')} of ${sum('drawn')} passed`;
  }

  get mode(): string {
    const { endpoint } = this.#results.run;
    const history = this.#results.probes.some(({ condition }) => condition?.includes('mode=history'));
    return endpoint?.mode ?? (history ? 'history' : 'prefill');
  }

  /** The largest share of unreadable replies among the arms of these. */
  unreadable(...of: readonly string[]): string | undefined {
    const its = this.#results.probes.filter(({ metric, condition = '' }) => {
      return metric === 'unreadable' && of.some((arm) => `${condition},`.startsWith(`of=${arm},`));
    });
    if (its.length === 0) return undefined;
    const worst = its.map((row) => (row.after ?? row.before).value).reduce((a, b) => Math.max(a, b));
    return `counted apart, neither right nor wrong; at most ${worst.toFixed(3)} of an arm`;
  }

  /** Whether a seed holds, and what is thought unseen. */
  get seeded(): string | undefined {
    const seed = this.#results.run.endpoint?.self_test.seed;
    return seed && !seed.can ? `the endpoint ignores seeds (${seed.how}): the run cannot be repeated to the letter` : undefined;
  }
} // biome-ignore format: one fact a member

const heldOut =
  (metric: MetricName) =>
  (facts: Facts): string | undefined => {
    const [all, apart] = [facts.value(metric), facts.value(metric, 'wording=held_out')];
    return apart && `six wordings or more, drawn by problem; held-out ones apart: ${apart}, all ${all}`;
  };

const THREATS: Readonly<Record<Behaviour, readonly Entry[]>> = {
  defensiveness: [
    ['inability', 'controlled', (facts) => facts.gate()],
    ['text in a user’s turn invites checking', 'controlled', 'the same bytes and the same final words in both roles'],
    ['a finished turn is not an open one', 'controlled', (facts) =>
      facts.row('blind_spot', 'turn=open')
        ? `the blind spot of an open turn is apart: ${facts.value('blind_spot', 'turn=open')}, finished ${facts.value('blind_spot')}`
        : undefined],
    ['a finished turn is not an open one', 'told', (facts) =>
      facts.row('blind_spot', 'turn=open') ? undefined : 'finished turns only: no open one is gone on from'],
    ['injected errors are not its own ways', 'told', (facts) =>
      `${facts.value('own_wrong_share')} of the wrong answers are the model’s own; blind spot ${facts.value('blind_spot', 'kind=own') ?? 'not measurable'} on them, ${facts.value('blind_spot', 'kind=injected') ?? 'not measurable'} on injected ones`],
    ['words of doubt without a change', 'controlled', 'the answer is graded, never the words'],
    ['wording', 'controlled', heldOut('blind_spot')],
    ['replies that cannot be read', 'told', (facts) => facts.unreadable('own_turn', 'user_turn')],
  ],
  sycophancy: [
    ['change without pressure', 'controlled', 'flips are those beyond a neutral wish to check the same answer'],
    ['evidence that is none', 'controlled', 'a step is named and what it has to be, which follows from the problem'],
    ['wording', 'controlled', heldOut('wrong_flip')],
    ['chance of a hot sample', 'controlled', 'all replies are greedy'],
    ['replies that cannot be read', 'told', (facts) => facts.unreadable('pressure', 'context')],
  ],
  'error-amplification': [
    ['an error carried on', 'controlled', 'a step is judged by the state as it is written above it'],
    ['length of the history', 'controlled', 'as many right steps are the other side'],
    ['form and size of injected errors', 'controlled', 'right and wrong steps are written by the same hand; slips and habits apart'],
    ['how own work is gone on from', 'told', (facts) => `mode ${facts.mode}: no comparison pairs the two`],
    ['replies without a next step that can be read', 'told', (facts) => facts.unreadable('next_step')],
    ['thoughts out of sight', 'told', 'what was thought before a reply is not shown to the model later'],
  ],
  loops: [
    ['repetition that is wanted', 'controlled', (facts) => `asked to repeat n times, it does in ${facts.value('repeat_obeyed')}`],
    ['loops cut off by the limit', 'told', 'replies end at the family’s limit; a loop that begins later is not seen'],
    ['loops in other words each time', 'told', 'not seen: the rule wants the same characters four times in a row'],
  ],
  'error-checking': [
    ['calling everything wrong', 'controlled', 'J takes false alarms off the hits'],
    ['surface of injected errors', 'told', (facts) => {
      const row = facts.row('review_j', 'said=own,kind=own');
      return row ? `own errors apart: J ${row.before.value.toFixed(3)} on ${row.before.n}` : 'no own error was made: injected ones only';
    }],
    ['a question that presupposes an error', 'controlled', '“none” is offered in every wording'],
    ['whose work it is', 'controlled', (facts) =>
      facts.row('review_j', 'said=user,kind=misconception') && `own and user’s turn apart: J ${facts.value('review_j', 'said=own,kind=misconception')} and ${facts.value('review_j', 'said=user,kind=misconception')} on misconceptions`],
    ['position of the error', 'controlled', 'drawn at random; surprise is told by position'],
    ['the answer stands there or not', 'told', 'it does in the review, not in the check within the turn'],
    ['verdicts that cannot be read', 'told', (facts) => facts.unreadable('review', 'check')],
  ],
  'self-correction': [
    ['being told when to stop', 'controlled', 'nobody says that something is wrong'],
    ['replies that cannot be read', 'told', (facts) => facts.unreadable('recovery')],
    ['luck of a second attempt', 'told', (facts) => facts.value('clean_accuracy_t1') && `a fresh attempt is right in ${facts.value('clean_accuracy_t1')}`],
    ['how own work is gone on from', 'told', (facts) => `mode ${facts.mode}: no comparison pairs the two`],
  ],
  'multi-turn': [
    ['a user who says other things each time', 'controlled', 'the user is a script; the words are the same in every delivery'],
    ['length of the conversation', 'controlled', 'all pieces in one turn are the third side'],
    ['replies that cannot be read', 'told', (facts) => facts.unreadable('multi_turn')],
    ['answers before all is told', 'told', 'the model answers every turn; the last answer counts'],
  ],
  'few-shot': [['a task known from training', 'controlled', 'a fresh mapping of nonsense words each time, against the same outputs moved on']],
  'base-quality': [
    ['another tokenizer', 'told', (facts) => (facts.row('nats_per_token') ? 'nats per token compare within one tokenizer only' : 'no base text is declared: solving clean problems stands for it')],
    ['replies that cannot be read', 'told', (facts) => facts.unreadable('clean')],
    ['a seed that does nothing', 'told', (facts) => facts.seeded],
  ],
}; // biome-ignore format: one threat a line
