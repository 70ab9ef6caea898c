import type { ProblemFamily, WorkedStep } from 'unrut';

/** Adds numbers from left to right, a line a step: any chat model can be asked. */
export const addition: ProblemFamily<readonly number[]> = {
  name: 'addition',
  slips: ['sum'],
  misconceptions: ['one too many'],
  challenge: 'Please check that again.',
  replyTokens: 120,
  drawTest: (draws) => Array.from({ length: 5 }, () => 10 + draws.integer(90)),
  id: (numbers) => numbers.join('+'),
  prompt: (numbers) => task(numbers),
  length: (numbers) => numbers.length - 1,
  work(numbers, manner, draws, count = numbers.length - 1) {
    const wrongBy = { right: () => 0, slip: () => 2 + draws.integer(8), misconception: () => 1 };
    const sums = [numbers[0]!];
    for (let at = 0; at < count; at++) sums.push(sums[at]! + numbers[at + 1]! + wrongBy[manner(at).kind]());
    return judged(numbers, sums.slice(1));
  },
  reply: (steps) => lines(steps) + answer(steps),
  wavedThrough: (steps) => lines(steps) + 'Checked: right.\n'.repeat(steps.length) + answer(steps),
  read(numbers, reply) {
    const sums = [...reply.matchAll(/ = (\d+)/g)].map(([, sum]) => Number(sum));
    const marks = [...reply.matchAll(/Checked: (right|wrong)/g)].map(([, mark]) => mark as 'right' | 'wrong');
    const said = /Answer: (\d+)/.exec(reply)?.[1];
    return { steps: judged(numbers, sums), marks, answer: said, answerRight: Number(said) === total(numbers) };
  },
  shards: (numbers) => ({ turns: task(numbers).split(/(?<=,) /), joined: task(numbers) }), // a number a turn
};
const task = (all: readonly number[]) => `Add ${all.join(', ')} left to right, a line a step. End with "Answer: n".`;
const total = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number);
const lines = (steps: readonly WorkedStep[]) => steps.map((step) => step.text).join('');
const answer = (steps: readonly WorkedStep[]) => steps.at(-1)!.text.replace(/.* = /, 'Answer: ').trim();
const judged = (numbers: readonly number[], sums: readonly number[]): WorkedStep[] =>
  sums.map((sum, at) => {
    const [above, added] = [sums[at - 1] ?? numbers[0]!, numbers[at + 1] ?? Number.NaN];
    const right = sum === total(numbers.slice(0, at + 2));
    return { text: `${above} + ${added} = ${sum}\n`, right, locallyRight: sum === above + added };
  });
