import { drawFewShot, type FewShot } from '../problems/organism-text.ts';
import { stream } from '../random.ts';
import { makePair } from '../wrong-turns/pair.ts';
import { type Bench, type Findings, type Probe, replyOnce, row } from './bench.ts';

const DEMONSTRATIONS = [2, 4, 8] as const;

/**
 * Is the model still a sharp few-shot learner? A fresh letter-to-digit mapping is shown by k demonstrations, or by the
 * same demonstrations with their outputs moved on by one place; the gain is the difference in accuracy.
 */
export const fewShot: Probe = {
  behaviour: 'few-shot',
  metrics: ['few_shot_gain'],
  tokensPerProblem: 6 * 2,
  async measure(bench) {
    const report: Findings = { rows: [], transcripts: [] };
    for (const count of DEMONSTRATIONS) {
      const tasks = bench.problems.map((problem) => task(bench, problem, count));
      const shown = await answers(
        bench,
        tasks.map(({ pair }) => pair.control),
      );
      const moved = await answers(
        bench,
        tasks.map(({ pair }) => pair.treated),
      );
      const gain = tasks.map(({ output }, index) => Number(shown[index] === output) - Number(moved[index] === output));
      report.rows.push(row(bench, 'few_shot_gain', `demos=${count}`, gain));
    }
    return report;
  },
};

function task<Problem>(bench: Bench<Problem>, problem: Problem, count: number) {
  const draws = stream(bench.seed, 'few-shot', count, bench.family.id(problem));
  let drawn = drawFewShot(draws, count);
  while (permuted(drawn).includes(drawn.query + drawn.output)) drawn = drawFewShot(draws, count);
  const told = (demonstrations: string) => [
    { role: 'user' as const, origin: 'injected' as const, text: `>${demonstrations}${drawn.query}` },
  ];
  const pair = makePair(bench.family.id(problem), 'text', told(drawn.demonstrations.join('')), told(permuted(drawn)));
  return { pair, output: drawn.query + drawn.output };
}

/** Each letter gets the output of the next one. */
function permuted({ demonstrations }: FewShot): string {
  const output = (index: number) => demonstrations[(index + 1) % demonstrations.length]!.slice(1);
  return demonstrations.map((demonstration, index) => demonstration[0]! + output(index)).join('');
}

async function answers<Problem>(
  bench: Bench<Problem>,
  conversations: Parameters<typeof replyOnce>[1],
): Promise<string[]> {
  const replies = await replyOnce(bench.target.model, conversations, 3, 0, bench.seed);
  return replies.map(({ text }) => text);
}
