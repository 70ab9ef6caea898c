import type { Conversation } from '../conversation/conversation.ts';
import { reliability } from '../stats/reliability.ts';
import { makePair } from '../wrong-turns/pair.ts';
import { asked, said } from '../wrong-turns/turns.ts';
import { answerless, type Bench, drawsFor, type Findings, type Lost, type Probe, type Read, replyOnce, row, unreadable } from './bench.ts'; // biome-ignore format: one line

/** How the problem is told. */
type Delivery = 'full' | 'concat' | 'sharded';

const RUNS = 10;

/** Repeated runs are costly; the spread of a problem's runs is read on this many problems. */
const PROBLEMS_FOR_SPREAD = 100;

/**
 * Does it matter whether the problem comes at once or piece by piece? The same words all at once, in pieces in one
 * turn, and one piece a turn with the model answering in between. The user is a script, so the pair is exact. Beside
 * the mean P stand, at T = 1, A90 (the 90th percentile of a problem's runs: what it can do) and U = A90 - A10 (how
 * far it can be relied on). Mirror: what a later piece takes back is really dropped. After Laban et al. 2025 (arXiv 2505.06120).
 */
export const multiTurn: Probe = {
  behaviour: 'multi-turn',
  tokensPerProblem: 4 * 45,
  async measure(bench) {
    const report: Findings = { rows: [], transcripts: [] };
    const lost: Pick<Lost<never>, 'lost'>[] = [];
    const few: typeof bench = { ...bench, problems: bench.problems.slice(0, PROBLEMS_FOR_SPREAD) };
    for (const delivery of ['full', 'concat', 'sharded'] as const) {
      const metric = `multi_turn_${delivery}` as const;
      const scripts = bench.problems.map((problem) => deliver(bench, problem, delivery));
      const greedy = await played(bench, scripts, 0, bench.seed);
      lost.push(answerless(greedy));
      report.rows.push(row(bench, metric, undefined, greedy.map(isRight)));
      const runs: boolean[][] = [];
      const fewScripts = scripts.slice(0, PROBLEMS_FOR_SPREAD);
      for (let run = 0; run < RUNS; run++) runs.push((await played(few, fewScripts, 1, bench.seed + run)).map(isRight));
      const spread = few.problems.map((_, index) => reliability([runs.map((run) => Number(run[index]))]));
      const aptitude = spread.map((one) => one.aptitude);
      const unreliability = spread.map((one) => one.unreliability);
      report.rows.push(
        row(
          few,
          metric,
          'temperature=1',
          spread.map(({ performance }) => performance),
        ),
      );
      report.rows.push(row(few, metric, 'temperature=1,quantile=a90', aptitude));
      report.rows.push(row(few, metric, 'temperature=1,quantile=u', unreliability));
    }
    const changes = overridden(bench);
    if (changes) {
      const obeyed = await played(bench, changes, 0, bench.seed);
      lost.push(answerless(obeyed));
      report.rows.push(row(bench, 'override_obeyed', undefined, obeyed.map(isRight)));
    }
    report.rows.push(...unreadable(bench, 'multi_turn', lost));
    return report;
  },
};

/** What the user says turn by turn, and the problem that the last answer is held against. */
type Script<Problem> = { readonly turns: readonly string[]; readonly problem: Problem };

/** Each script's last answer. */
async function played<Problem>(
  { family, target }: Bench<Problem>,
  scripts: readonly Script<Problem>[],
  temperature: number,
  seed: number,
): Promise<Pick<Read, 'reading'>[]> {
  let conversations: Conversation[] = scripts.map(() => []);
  const longest = Math.max(...scripts.map(({ turns }) => turns.length));
  for (let turn = 0; turn < longest; turn++) {
    const prompts = conversations.map((conversation, index) => [...conversation, asked(scripts[index]!.turns[turn]!)]);
    const replies = await replyOnce(target.model, prompts, family.replyTokens, temperature, seed);
    conversations = prompts.map((prompt, index) => [...prompt, said(replies[index]!)]); // one reply a prompt
  }
  return conversations.map((turns, index) => ({ reading: family.read(scripts[index]!.problem, turns.at(-1)!.text) }));
}

const isRight = ({ reading }: Pick<Read, 'reading'>): boolean => reading.answerRight;

/** The same words in each delivery. */
function deliver<Problem>(bench: Bench<Problem>, problem: Problem, delivery: Delivery): Script<Problem> {
  const { family } = bench;
  const full = family.prompt(problem);
  const { turns, joined, reworded } = family.shards(problem, drawsFor(bench, problem, 'shards'));
  makePair(family.id(problem), 'delivery', [asked(reworded ? joined : full)], turns.map(asked)); // checks that the words are the same
  return { turns: delivery === 'full' ? [full] : delivery === 'concat' ? [joined] : turns, problem };
}

function overridden<Problem>(bench: Bench<Problem>): Script<Problem>[] | undefined {
  const { family, problems } = bench;
  if (!family.override) return undefined;
  return problems.map((problem) => {
    const { turns, changed } = family.override!(problem, drawsFor(bench, problem, 'override')); // just seen to be there
    return { turns, problem: changed };
  });
}
