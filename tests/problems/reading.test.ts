import { describe, expect, it } from 'vitest';
import { openFamily } from '../../src/problems/families.ts';
import { affirmed, finalAnswer } from '../../src/problems/final-answer.ts';
import { numbersIn, resultsIn } from '../../src/problems/numbers.ts';
import { ownProblems } from '../../src/problems/own-problems.ts';
import { plainText } from '../../src/problems/plain-text.ts';
import { outcomeOf, RIGHT } from '../../src/problems/problem-family.ts';
import { stream } from '../../src/random.ts';

const numeric = (reply: string, ended?: 'stop' | 'length') =>
  finalAnswer(reply, (statement) => affirmed(statement).flatMap(resultsIn), ended);

describe('the final answer', () => {
  it.each([
    ['Answer: 42', '42'],
    ['The answer is **42**.', '42'],
    ['**Answer:** 1,234 marbles', '1234'],
    ['$\\boxed{1{,}234}$', '1234'],
    ['#### 42', '42'],
    ['## Answer\n\n**-42**', '-42'],
    ['answer = \u22125', '-5'],
    ['The answer is negative 5.', '-5'],
    ['Answer: 3 × 14 = 42', '42'],
    ['Answer: 50-8 = 42 (8 were given away)', '42'],
    ['Answer: $42.00', '42'],
    ['So, in total there are 42.', '42'],
    ['42', '42'],
    ['It is 42.', '42'],
    ['Answer: 41\nWait, I made a mistake: it should be 42.', '42'],
    ['You might think the answer is 41, but the answer is 42.', '42'],
    ['The answer is not 41 but 42.', '42'],
    ['Answer: 42, since 41 is wrong', '42'],
    ['I stand by it: my answer is 42.', '42'],
    ['Your answer is 41. The right answer is 42.', '42'],
    ['The right answer is 42. Your answer is 41.', '42'],
    ['<think>The answer is 7.</think>The final answer is 42.', '42'],
    ['Answer: 42\n\nAnything else?', '42'],
  ])('of %j is %s', (reply, answer) => expect(numeric(reply).answer).toBe(answer));

  it.each([
    ['', 'empty'],
    ['I’m sorry, I can’t help with that.', 'refusal'],
    ['Step 1: 40 + 2 = 42', 'no answer'],
    ['First 40, then 2 more, and then 7.', 'no answer'],
    ['Answer: 41 or 42', 'two answers'],
    ['The answer is 41, maybe 42.', 'two answers'],
    ['Answer: <number>', 'no value'],
    ['Answer: forty-two', 'no value'],
    ['Is the answer 42?', 'no answer'],
    ['The answer is 42? No.', 'no answer'],
    ['The answer 42 is wrong.', 'no answer'],
    ['If the answer is 42, then 7 is left.', 'no answer'],
    ['Your answer is 42.', 'no answer'],
    ['<think>the answer is 42', 'truncated'],
  ])('of %j is none: %s', (reply, why) => expect(numeric(reply)).toEqual({ answer: undefined, unreadable: why }));

  it('may go on where the reply was cut', () => {
    expect(numeric('Answer: 4', 'length').unreadable).toBe('truncated');
    expect(numeric('Answer: 3.', 'length').unreadable).toBe('truncated');
    expect(numeric('Answer: 42\nAnd then', 'length').answer).toBe('42');
  });
});

describe('a plain text', () => {
  it('keeps products, lists and lines', () => {
    expect(plainText('3 * 4 and 3*4, *not* **so**\n* item')).toBe('3 * 4 and 3*4, not so\nitem');
    expect(numbersIn('1, 2, 3 and 1,234 and 5-3 and (-7)')).toEqual([1, 2, 3, 1234, 5, 3, -7]);
  });
});

describe('steps', () => {
  const family = openFamily('dictionary-sum', { entries: 4, keys: 3 });
  const problem = family.drawTest(stream(4, 'steps'));
  const right = family.work(problem, () => RIGHT, stream(1));

  it('keep the model’s own words, and begin anew where a number comes again', () => {
    const loose = right.map(({ text }) => text.replace(/^Step (\d+): (.*)\.\n/, '**Step $1**: $2 so far\n'));
    const reading = family.read(problem, `${loose[0]}${loose[1]}Wait.\n${right[1]!.text}${loose[2]}`);
    expect(reading.steps.map(({ text }) => text)).toEqual([loose[0], right[1]!.text, loose[2]]);
    expect(reading.steps.every((step) => step.right)).toBe(true);
  });

  it('are judged by the problem and by what stands before', () => {
    const wrong = family.work(problem, (at) => (at === 1 ? { kind: 'slip', what: 'sum' } : RIGHT), stream(2));
    expect(wrong.map((step) => step.right)).toEqual([true, false, false]);
    expect(wrong.map((step) => step.locallyRight)).toEqual([true, false, true]);
  });

  it('are marked by number, gaps and signs and all', () => {
    const { marks } = family.read(problem, 'Check 1: correct\n**Check 3:** wrong, it should be 17\n');
    expect(marks).toEqual(['right', undefined, 'wrong']);
    expect(family.read(problem, 'Step 2: ✗\nStep 1: ✓').marks).toEqual(['right', 'wrong']);
    expect(family.read(problem, 'Check 1: wrong, it should be 17').answer).toBeUndefined();
  });
});

describe.each([
  ['swapped-objects', 'Answer: she has it', 'no value'],
  ['transformation', 'Answer: the same as before', 'no value'],
  ['countdown', 'Answer: 24', 'no value'],
  ['countdown', 'Answer: (3 + 4) × 5 or (3 + 4) × 6', 'two answers'],
])('%s', (name, reply, why) => {
  it(`finds in ${JSON.stringify(reply)} ${why}`, () => {
    const family = openFamily(name);
    expect(family.read(family.drawTest(stream(1)), reply)).toMatchObject({ answer: undefined, unreadable: why });
  });
});

describe('Countdown', () => {
  const family = openFamily('countdown');
  const problem = { numbers: [3, 4, 5, 6], target: 33 };

  it.each([
    ['Answer: (3 + 4 - 5 ÷ 5) × 6', 'wrong'],
    ['Answer: 3 * (4 + 5) + 6', 'right'],
    ['Answer: 33 = 3 × (5 + 4) + 6', 'right'],
    ['Answer: $\\boxed{(4+5)\\times 3+6 = 33}$', 'right'],
    ['Answer: 3 × 4 × 5 - 6 × 4.', 'wrong'],
    ['Answer: 3 + 4 + 5 + 6', 'wrong'],
  ])('%s is %s', (reply, outcome) => expect(outcomeOf(family.read(problem, reply))).toBe(outcome));

  it('reads thousands as one number', () => {
    const { steps } = family.read({ numbers: [10, 12, 12, 8], target: 180 }, 'Step 1: 10 × 12 = 120\nStep 2: 120 × 12 = 1,440\nStep 3: 1,440 ÷ 8 = 180\n');
    expect(steps.map((step) => step.right)).toEqual([true, true, true]);
  }); // biome-ignore format: one line a statement

  it('takes any way that can still reach the target', () => {
    const { steps } = family.read(problem, 'Step 1: 5 + 4 = 9\nStep 2: 9 x 3 = 27\nStep 3: 27 + 6 = 33\n');
    expect(steps.every((step) => step.right && step.locallyRight)).toBe(true);
    const dead = family.read(problem, 'Step 1: 3 - 4 = -1\nStep 2: 5 + 5 = 10\n').steps;
    expect(dead.map((step) => step.locallyRight)).toEqual([false, false]);
  });
});

it('Multiplication takes the products in any order', () => {
  const family = openFamily('multiplication', { firstDigits: 2, secondDigits: 2 });
  const { steps } = family.read({ first: 54, second: 73 }, 'Step 1: 70 × 54 = 3,780\nStep 2: 54 × 3 = 162\nStep 3: 3780 + 162 = 3942\n');
  expect(steps.every((step) => step.right && step.locallyRight)).toBe(true);
}); // biome-ignore format: one line a statement

describe('an exact answer of one’s own', () => {
  const problem = { question: 'Which play?', answer: 'romeo and juliet', numeric: false, steps: [] };
  const family = ownProblems('mine.jsonl', [problem]);

  it.each([
    ['Answer: Romeo and Juliet.', 'right'],
    ['The answer is "Romeo  and Juliet".', 'right'],
    ['Answer: Hamlet', 'wrong'],
    ['Answer: Hamlet or Macbeth', 'unreadable'],
    ['Answer: Romeo and Juliet, by Shakespeare', 'unreadable'],
    ['Answer: it cannot be determined', 'unreadable'],
  ])('%s is %s', (reply, outcome) => expect(outcomeOf(family.read(problem, reply))).toBe(outcome));
});
