import { chatSideTasks } from '../problems/side-tasks.ts';
import { stream } from '../random.ts';
import type { ProbeRow } from '../results/probe-report.ts';
import { makePair } from '../wrong-turns/pair.ts';
import { type Bench, type Findings, type Probe, readGreedily, replyOnce, row } from './bench.ts';

const DEMONSTRATIONS = [2, 4, 8] as const;

/**
 * Is the model still a sharp few-shot learner? A fresh mapping (letters to digits, nonsense to numbers) is shown by
 * k demonstrations, or by the same demonstrations with their outputs moved on by one place; the gain is the difference
 * in accuracy.
 */
export const fewShot: Probe = {
  behaviour: 'few-shot',
  competence: 'unneeded',
  tokensPerProblem: 6 * 2,
  async measure(bench) {
    const report: Findings = { rows: [], transcripts: [] };
    const { fewShot: tokens } = (bench.family.sideTasks ?? chatSideTasks).replyTokens;
    for (const count of DEMONSTRATIONS) {
      const tasks = bench.problems.map((problem) => task(bench, problem, count));
      const replies = async (side: 'control' | 'treated') => {
        const conversations = tasks.map(({ pair }) => pair[side]);
        return (await replyOnce(bench.target.model, conversations, tokens, 0, bench.seed)).map(({ text }) => text);
      };
      const [shown, moved] = [await replies('control'), await replies('treated')];
      const gain = tasks.map(({ done }, index) => Number(done(shown[index]!)) - Number(done(moved[index]!)));
      report.rows.push(row(bench, 'few_shot_gain', `demos=${count}`, gain));
    }
    report.rows.push(...(await broughtRows(bench)));
    return report;
  },
};

/** The gain by worked examples that came with the problems, answered in the family's own form. */
async function broughtRows<Problem>(bench: Bench<Problem>): Promise<ProbeRow[]> {
  const tasks = bench.problems.flatMap((problem) => {
    const examples = bench.family.brought?.(problem).demonstrated;
    return examples === undefined || examples.shown === examples.moved ? [] : [{ problem, examples }];
  });
  if (tasks.length === 0) return [];
  const problems = tasks.map(({ problem }) => problem);
  const right = async (side: 'shown' | 'moved') => {
    const reads = await readGreedily(bench, tasks.map(({ examples }) => [shownAs(examples[side])]), problems);
    return reads.map(({ reading }) => Number(reading.answerRight));
  };
  const [shown, moved] = [await right('shown'), await right('moved')];
  return [row(bench, 'few_shot_gain', 'demos=brought', shown.map((one, index) => one - moved[index]!), problems)]; // as many
} // biome-ignore format: one line a statement

const shownAs = (text: string) => ({ role: 'user' as const, origin: 'injected' as const, text });

function task<Problem>({ family, seed }: Bench<Problem>, problem: Problem, count: number) {
  const draws = stream(seed, 'few-shot', count, family.id(problem));
  const { prompt, moved, done } = (family.sideTasks ?? chatSideTasks).fewShot(draws, count);
  const told = (text: string) => [shownAs(text)];
  return { pair: makePair(family.id(problem), 'text', told(prompt), told(moved)), done };
}
