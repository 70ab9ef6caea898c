import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runsIntoLoop } from '../../src/probes/repetition.ts';
import { accepted, gradeReply } from '../../src/problems/answers/grade.ts';
import { sameValue } from '../../src/problems/answers/same-value.ts';
import { readValue } from '../../src/problems/answers/value.ts';
import { openFamily } from '../../src/problems/families.ts';
import { firstWrongStep } from '../../src/problems/first-wrong-step.ts';
import { ownProblems, readOwnProblems } from '../../src/problems/own-problems.ts';
import { RIGHT } from '../../src/problems/problem-family.ts';
import { stream } from '../../src/random.ts';
import { temporaryFile } from '../temporary.ts';

const outcome = (reply: string, answers: string | readonly string[], options?: readonly string[]) => {
  const { answer, right } = gradeReply(reply, accepted([answers].flat(), options));
  return answer === undefined ? 'unreadable' : right ? 'right' : 'wrong';
};

describe('an answer in the spelling of the file', () => {
  it.each([
    "shouldn't", '$18', '50%', '0x10', '1e3', 'R. Ponting', "St. John's", '(B)', 'Paris', 'yes', '1,234', '-3.5', '.5', '1/2', '1 1/2', '½', 'Dr. No', 'To be or not to be',
    'What is love?', 'a', 'A', 'C++', 'U.S.A.', 'naïve', 'Ⅻ', '東京', 'двадцать', '10:30', '3:2', '5 km', '12 apples', '9007199254740993', '2\\sqrt{3}', '\\frac{\\pi}{4}', '(1,2)', '[0,1)',
    '\\{1,2\\}', '90^\\circ', '10,\\!080', '\\text{Evelyn}', '\\text{(C)}', 'x^2+2x+1', 'y = 2x + 3', '1, -2', '3 \\pm \\sqrt{5}', '\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}', '204_5',
    '5 million', '5k', '5!', '5²', 'It is not known', 'Either is wrong', 'red, green and blue', 'print("x")', 'a = b', '-', '😊', 'Romeo & Juliet', "O'Neill", '“quoted”', '(-\\infty, 3]',
    'line one\nline two', '1.5 × 10^3', '+7', '- 3', '€18.50', '18 dollars', '12:00 p.m.', 'Mr. & Mrs. Smith', '100 °C', '1/3 cup', '2^{10}', '\\log_2 8', '\\emptyset', 'p < 0.05',
  ])('%j is read as right, said, boxed, in bold and in a sentence', (answer) => {
    for (const reply of [`Answer: ${answer}`, `\\boxed{${answer}}`, `**Answer:** ${answer}`, `Some work.\n\nThe answer is ${answer}.`, `The final answer is $\\boxed{${answer}}$.`]) {
      expect({ reply, outcome: outcome(reply, answer) }).toEqual({ reply, outcome: 'right' });
    }
  });
}); // biome-ignore format: many answers a line

describe('a number', () => {
  it.each([
    ['Answer: .5', '0.5', 'right'],
    ['Answer: .5', '5', 'wrong'],
    ['Answer: - 3', '-3', 'right'],
    ['Answer: - 3', '3', 'wrong'],
    ['Answer: \u22123', '-3', 'right'],
    ['Answer: 5k', '5', 'unreadable'],
    ['Answer: 5 million', '5', 'unreadable'],
    ['Answer: 5 million', '5000000', 'right'],
    ['Answer: 5e3', '5', 'wrong'],
    ['Answer: 5e3', '5,000', 'right'],
    ['Answer: 1.5 x 10^3', '1500', 'right'],
    ['Answer: 5²', '5', 'unreadable'],
    ['Answer: 5!', '5', 'unreadable'],
    ['Answer: 5:30', '5', 'unreadable'],
    ['Answer: more than 5', '5', 'unreadable'],
    ['Answer: 5x', '5', 'unreadable'],
    ['Answer: 1.2.3', '1.2', 'unreadable'],
    ['Answer: 9007199254740993', '9007199254740992', 'wrong'],
    ['Answer: 9,007,199,254,740,993', '9007199254740993', 'right'],
    ['Answer: $18.00', '18', 'right'],
    ['Answer: 18 dollars', '$18', 'right'],
    ['Answer: €18', '18', 'right'],
    ['Answer: 50\\%', '50%', 'right'],
    ['Answer: 50 percent', '50%', 'right'],
    ['Answer: 50', '50%', 'right'],
    ['Answer: 0.5', '50%', 'right'],
    ['Answer: 5%', '50%', 'wrong'],
    ['Answer: 1 000', '1000', 'right'],
    ['Answer: 3/4', '0.75', 'right'],
    ['Answer: 1 1/2 cups', '1.5', 'right'],
    ['Answer: 3½', '3.5', 'right'],
    ['Answer: $\\frac{3}{4}$', '.75', 'right'],
    ['Answer: 1/3', '0.333', 'wrong'],
    ['Answer: 5 km', '5 km', 'right'],
    ['Answer: 5', '5 km', 'right'],
    ['Answer: 5000 m', '5 km', 'unreadable'],
    ['Answer: 6 km', '5 km', 'wrong'],
    ['Answer: 12 hours', '10', 'wrong'],
    ['There are \\boxed{9} divisors.', '9', 'right'],
    ['\\boxed{1}, no: \\boxed{\\frac{1}{2}}', '0.5', 'right'],
    ['\\boxed{x = 5}', '5', 'right'],
    ['\\boxed{7}. In other words, the right answer is the smallest prime above 5.', '7', 'right'],
    ['\\boxed{7}. Wait, the answer is 5.', '5', 'right'],
    ['Answer: $3\\sqrt{13}$', '5', 'wrong'],
    ['Answer: 42\nLet me know if you need more than 7 steps.', '42', 'right'],
    ['The total is 48/2 = <<48/2=24>>24 clips.\n#### 24', '24', 'right'],
    ['Answer: forty-two', '42', 'unreadable'],
    ['Answer: 41 or 42', '42', 'unreadable'],
    ['It should be 42? I am not sure.', '42', 'unreadable'],
  ])('%j for %j is %s', (reply, answer, expected) => expect(outcome(reply, answer)).toBe(expected));

  it('is exact in families, too, and no other number where it cannot be read', () => {
    const family = openFamily('multiplication', { firstDigits: 2, secondDigits: 2 });
    const problem = { first: 54, second: 73 };
    const answered = (text: string) => family.read(problem, `Answer: ${text}`);
    expect(answered('3,942').answerRight).toBe(true);
    expect(answered('3.942e3').answerRight).toBe(true);
    for (const text of ['3942k', '3942²', '3942 million']) expect(answered(text)).toMatchObject({ answer: undefined, unreadable: 'no value' });
  });
}); // biome-ignore format: a case a line

describe('a text', () => {
  it.each([
    ['Answer: shouldn\u2019t', "shouldn't", 'right'],
    ['Answer: R Ponting', 'R. Ponting', 'right'],
    ['Answer: St John\u2019s', "St. John's", 'right'],
    ["Answer: St. John's. It lies in Canada.", "St. John's", 'right'],
    ['Answer: "Paris"', 'Paris', 'right'],
    ['Answer: PARIS!', 'Paris', 'right'],
    ['Answer: Sa\u0303o Paulo', 'São Paulo', 'right'],
    ['Answer: the Eiffel Tower', 'Eiffel Tower', 'right'],
    ['Answer: ｐａｒｉｓ', 'Paris', 'right'],
    ['Answer: New Orleans', 'New York', 'wrong'],
    ['Answer: Paris, on the Seine', 'Paris', 'unreadable'],
    ['Answer: it cannot be determined', 'Paris', 'unreadable'],
    ['Answer: NYC', ['New York City', 'NYC'], 'right'],
    ['Answer: London', ['New York City', 'NYC'], 'wrong'],
  ])('%j for %j is %s', (reply, answer, expected) => expect(outcome(reply, answer)).toBe(expected));
});

describe('a choice', () => {
  const options = ['London', 'Paris', '42', 'all of them'];
  it.each([
    ['Answer: B', 'right'],
    ['Answer: (B)', 'right'],
    ['Answer: B) Paris', 'right'],
    ['Answer: B. Paris', 'right'],
    ['Answer: Paris', 'right'],
    ['The answer is B. The others are wrong.', 'right'],
    ['\\boxed{\\text{(B) Paris}}', 'right'],
    ['\\boxed{\\textbf{(B) } Paris}', 'right'],
    ['The correct option is **B**.', 'right'],
    ['B', 'right'],
    ['Answer: C', 'wrong'],
    ['Answer: 42', 'wrong'],
    ['Answer: A) London', 'wrong'],
    ['Answer: B) London', 'unreadable'],
    ['Answer: B or C', 'unreadable'],
    ['Answer: (B), (C)', 'unreadable'],
    ['\\boxed{\\text{B and C}}', 'unreadable'],
    ['Answer: B, C', 'unreadable'],
    ['Answer: E', 'unreadable'],
    ['Answer: I do not know', 'unreadable'],
  ])('%j is %s', (reply, expected) => expect(outcome(reply, 'B', options)).toBe(expected));

  it('is a letter where no options are told', () => {
    expect(['Answer: B) Paris', 'Answer: C', 'Answer: Paris'].map((reply) => outcome(reply, '(B)'))).toEqual(['right', 'wrong', 'unreadable']);
  });
}); // biome-ignore format: a case a line

describe('what is taken at load', () => {
  const load = async (row: object) => {
    const path = temporaryFile('mine.jsonl');
    writeFileSync(path, JSON.stringify({ question: 'q?', ...row }));
    return readOwnProblems(path);
  };

  it.each([
    [{ answer: 'the answer is 7' }, /mine\.jsonl:1: answer: is not read as right when a reply says "Answer: the answer is 7"/],
    [{ answers: ['7', '} {'] }, /mine\.jsonl:1: answers: "\} \{": is not read as right/],
    [{}, /mine\.jsonl:1: answer: is missing/],
    [{ answer: 'Rome', options: ['London', 'Paris'] }, /answer: "Rome" is neither an option nor its letter \(A, B\)/],
    [{ answer: 'A', options: ['Paris', 'paris'] }, /options\.1: says the same as an earlier one/],
    [{ answer: '7', wrong: ['Answer: 7.0'] }, /wrong\.0: is read as right/],
    [{ answer: '7', wrong: 'no idea at all' }, /wrong\.0: no answer can be read from it/],
    [{ first_wrong_step: 1 }, /first_wrong_step: there are no steps/],
    [{ first_wrong_step: 3, steps: ['a', 'b'] }, /first_wrong_step: 3, and there are 2 steps/],
    [{ answer: 1, split: 'dev' }, /split: /],
  ])('%j is refused', async (row, message) => expect(load(row)).rejects.toThrow(message));

  it('leaves empty lines of a solution out, unless a label counts them', async () => {
    expect((await load({ answer: 1, steps: ['a', '', 'b'] }))[0]?.steps).toEqual(['a', 'b']);
    expect((await load({ steps: ['a', '', 'b'], first_wrong_step: 3 }))[0]?.steps).toEqual(['a', '', 'b']);
  });

  it('keeps the author’s spelling in the model’s mouth', async () => {
    const [problem] = await load({ answer: 'Paris', wrong: 'Rome' });
    const family = ownProblems('mine.jsonl', [problem!]);
    expect(family.reply(family.work(problem!, () => RIGHT, stream(1)))).toBe('Answer: Paris');
    expect(family.reply(family.work(problem!, () => ({ kind: 'slip', what: 'any' }), stream(1)))).toBe('Answer: Rome');
  });

  it('makes wrong answers in the spelling of the right one', async () => {
    const wrong = async (row: object) => {
      const [problem] = await load(row);
      const family = ownProblems('mine.jsonl', [problem!]);
      const made = Array.from({ length: 90 }, (_, seed) => family.work(problem!, () => ({ kind: 'slip', what: 'any' }), stream(seed))[0]?.concludes);
      return [...new Set(made)].sort();
    };
    expect(await wrong({ answer: '$1,999' })).toContain('$2,000');
    expect(await wrong({ answer: '2\\sqrt{3}' })).toContain('3\\sqrt{3}');
    expect(await wrong({ answer: 'Yes' })).toEqual(['No']);
    expect(await wrong({ answer: 'Paris', options: ['London', 'Paris', 'Rome'] })).toEqual(['A', 'C']);
  });
}); // biome-ignore format: a case a line

describe('reading 80,000 characters takes less than 50 ms, whatever they are', () => {
  const SHAPES = ['.', '(', '[', '{', '-', '- ', '\n', ' ', '*', '$', '\\', '\\boxed{', '\\text{', '\\frac{', '|', '<think>', '</think>', 'Answer: ', 'the answer is ', 'Your answer is 5. ', '1', '1,', '1 ', '111 ', '1/', '#### ', 'a', 'a ', 'Step 1: ', 'Step 1: 2 + 3 = 5\n', 'First wrong step: ', '?', 'x^', '\\begin{pmatrix}', '= 5 ', 'or ', 'I will check again. ', 'Kim has the grey ball, '];
  const problem = { question: 'q', answer: '42', numeric: true, steps: [] };
  const own = ownProblems('mine.jsonl', [problem]);
  const formula = { question: 'f', answer: '2\\sqrt{3}', numeric: false, steps: [] };
  const families = ['dictionary-sum', 'countdown', 'multiplication', 'swapped-objects', 'transformation', 'word-problem'].map((name) => openFamily(name));
  const readers: readonly [string, (text: string) => unknown][] = [
    ['a number', (text) => own.read(problem, text)],
    ['a formula', (text) => own.read(formula, text)],
    ['a verdict', (text) => firstWrongStep(text, 5)],
    ['a loop', runsIntoLoop],
    ...families.map((family): [string, (text: string) => unknown] => [family.name, (text) => family.read(family.drawTest(stream(1)), text)]),
  ];

  /** Processor time, the least of three: other processes take their share. */
  const milliseconds = (run: () => unknown): number =>
    Math.min(...[1, 2, 3].map(() => {
      const before = process.cpuUsage();
      run();
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    }));

  it.each(readers)('%s', (_, read) => {
    read('Answer: \\sqrt{2}');
    const slow = SHAPES.flatMap((shape) => {
      const text = shape.repeat(Math.ceil(80_000 / shape.length)).slice(0, 80_000);
      return ['', 'Answer: ', '\\boxed{'].map((before) => ({ shape: before + shape, ms: milliseconds(() => read(before + text)) }));
    });
    expect(slow.filter(({ ms }) => ms > 50)).toEqual([]);
  }, 120_000);
}); // biome-ignore format: many shapes a line

describe('formulas', () => {
  const same = (a: string, b: string) => sameValue(readValue(a), readValue(b));

  it.each([
    ['\\frac12', '0.5'], ['\\dfrac{14}{3}', '\\frac{28}{6}'], ['2\\sqrt2', '\\sqrt{8}'], ['\\frac{\\sqrt{3}}{3}', '\\frac{1}{\\sqrt{3}}'], ['(x+2)(x-3)', 'x^2-x-6'], ['6-5i', '-5i+6'],
    ['\\left( 3, \\frac{\\pi}{2} \\right)', '(3, \\pi/2)'], ['\\begin{pmatrix} -1/3 \\\\ 2/3 \\end{pmatrix}', '\\begin{bmatrix} -\\frac{1}{3} \\\\ \\frac{2}{3} \\end{bmatrix}'], ['[0,\\infty)', '[0, \\infty)'],
    ['(-\\infty, 2) \\cup (3, \\infty)', '(3,\\infty)\\cup(-\\infty,2)'], ['\\{1,2,3\\}', '\\{3,2,1\\}'], ['90^\\circ', '90'], ['3\\frac{1}{2}', '3.5'], ['\\frac{270}{7}\\text{ degrees}', '\\frac{270}{7}'],
    ['10,\\!080', '10080'], ['10{,}080', '10,080'], ['y = 2x + 3', 'y=3+2x'], ['x=5', '5'], ['2516_8', '2516_{8}'], ['x \\in [-2,7]', '[-2,7]'], ['-2 \\le x \\le 7', '[-2,7]'], ['(1+\\sqrt2)^2', '3 + 2\\sqrt{2}'],
    ['\\sqrt[3]{54}', '3\\sqrt[3]{2}'], ['1 \\pm \\sqrt{19}', '1+\\sqrt{19},1-\\sqrt{19}'], ['\\left(\\frac{3}{5},\\frac{8}{3}\\right]', '(3/5, 8/3]'], ['0.\\overline{3}', '\\frac13'],
    ['5x - 7y + 11z + 4 = 0', '-5x+7y-11z-4=0'], ['\\frac{x^2-1}{x-1}', 'x+1'], ['15\\mbox{ cm}^2', '15'], ['12\\text{ and }13', '12, 13'], ['10\\sqrt{3}\\text{ cm}', '10\\sqrt3'], ['(p,q)=(3,2)', '(3,2)'],
    ['\\frac{9}{4}\\pi', '\\frac{9\\pi}{4}'], ['\\{1\\pm\\sqrt{5},-2\\}', '\\{-2,1+\\sqrt5,1-\\sqrt5\\}'], ['2 \\sin b \\cos a', '2\\cos a\\sin b'], ['3.14\\cdot 10^{5}', '314000'], ['x < 3', '(-\\infty, 3)'],
  ])('%s is %s', (a, b) => expect([same(a, b), same(b, a)]).toEqual([true, true]));

  it.each([
    ['(1,2)', '(2,1)'], ['[0,1)', '[0,1]'], ['[0,1)', '(0,1)'], ['2\\sqrt{3}', '3.46'], ['2^{100}+1', '2^{100}'], ['x<3', 'x>3'], ['x+1', 'x-1'], ['\\{1,2\\}', '\\{1,3\\}'], ['3\\pi', '3'], ['(1,2)', '5'],
  ])('%s is not %s', (a, b) => expect([same(a, b), same(b, a)]).toEqual([false, false]));

  it('leave open what cannot be told, and cost no time when they are monsters', () => {
    const monsters = ['9^{9^{9^{9}}}', '999999!', `${'\\sqrt{'.repeat(200)}2${'}'.repeat(200)}`, '\\sum_{n=1}^{10^9} n', '\\int_0^1 x dx', '((((1!)!)!)!)!', '10^{99999}', `1${'+1'.repeat(400)}`, '(\\exp(123456789))!', '\\binom{123456789}{99}!', '\\exp(\\exp(\\exp(99)))^{999}'];
    const start = performance.now();
    for (const monster of monsters) expect(same(monster, '2')).not.toBe(true);
    expect(performance.now() - start).toBeLessThan(monsters.length * 1500); // each is stopped after 1 s
    expect(same('204_5', '204')).toBeUndefined();
    expect(same('5', 'five')).toBeUndefined();
  });
}); // biome-ignore format: many pairs a line
