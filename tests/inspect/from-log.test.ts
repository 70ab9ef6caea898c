import { describe, expect, it } from 'vitest';
import { measureSample } from '../../src/probes/from-log/measure-sample.ts';
import { sameAnswer, statedAnswer } from '../../src/probes/from-log/stated-answer.ts';
import { runsIntoLoop } from '../../src/probes/repetition.ts';
import { readSample } from '../../src/record/inspect/read-sample.ts';

describe('a loop', () => {
  it.each([
    ['I will check again. '.repeat(4), true],
    [`First, some words.\n${'Wait,\nlet me think.\n'.repeat(5)}`, true],
    [`${'x'.repeat(300)} y `.repeat(4), true],
    ['I will check again. '.repeat(3), false],
    ['-'.repeat(200), false],
    ['| --- '.repeat(20), false],
    ['\n'.repeat(50), false],
    ['no, no, no, no, no', false],
    ['the sum is 7 '.repeat(4), false],
    ['the sum is 7 '.repeat(5), true],
    ['Sum: 7\n'.repeat(4), true],
    ['Sum: 7\n'.repeat(3), false],
    ['Step 1: add 2. Step 2: add 2. Step 3: add 2. Step 4: add 2.', false],
    ['', false],
    [`| a | b |\n|---|---|\n${'| 0 | 0 |\n'.repeat(8)}`, false],
    ['| yes | no | maybe |\n'.repeat(6), false],
    ['0 0 0 0 0\n'.repeat(8), false],
    ['0, '.repeat(28), false],
    [`\\begin{pmatrix}${'0 & 0 & 0\\\\'.repeat(9)}\\end{pmatrix}`, false],
    ['[0, 0, 0, 0],\n'.repeat(6), false],
    ['    pass\n'.repeat(5), false],
    ['PASS\n'.repeat(12), false],
    ['yes,no,0\n'.repeat(6), false],
    [`\`\`\`\n${'x = 0\n'.repeat(6)}\`\`\``, false],
    ['the '.repeat(100), true],
    ['0 '.repeat(500), true],
    ['Wait, no. Actually, yes. '.repeat(6), true],
  ])('%j: %s', (text, loops) => expect(runsIntoLoop(text)).toBe(loops));
});

describe('a stated answer', () => {
  it.each([
    ['So we get\n\nANSWER: 1,200', '1200'],
    ['**Answer:** B.', 'b'],
    ['thus \\boxed{x+1} and then \\boxed{7}', '7'],
    ['48 / 2 = 24\n#### 72', '72'],
    ['I made a slip. The answer is 8, not 9.', '8'],
    ['**42**', '42'],
    ['Yes.', 'yes'],
    ['I checked step 2 and it holds.', undefined],
    ['', undefined],
  ])('%j: %s', (text, answer) => expect(statedAnswer(text)).toBe(answer));
});

describe('two stated answers', () => {
  it.each([
    ['The answer is 7.', 'The answer is still 7.', true],
    ['ANSWER: 18', 'ANSWER: 18.00', true],
    ['ANSWER: B', 'ANSWER: B) Paris', true],
    ['ANSWER: 7', 'Your answer is 9, but mine remains 7.', true],
    ['The answer is New York.', 'The answer is New Orleans.', false],
    ['The answer is 1,200.', '#### 1200', true],
    ['\\boxed{\\frac{1}{2}}', 'Answer: .5', true],
    ['Answer: \\sqrt{8}', 'Answer: 2\\sqrt{2}', true],
    ['The answer is 50%.', 'Answer: 50 percent', true],
    ['The answer is 8 apples.', 'So the answer is 8.', true],
    ['Answer: x = 3', 'Answer: 3', true],
    ['Answer: A', 'The correct option is C.', false],
    ['Answer: Dr. Smith', 'Answer: Dr. Jones', false],
    ['Answer: \u22123', 'Answer: 3', false],
    ['The answer is 12.', 'I stand by 12.', true],
    ['The answer is Paris.', 'The answer is Paris, France.', undefined],
  ])('%j, %j: %s', (before, now, same) => {
    const answers = [before, now].map((text) => statedAnswer(text) ?? 'none');
    expect(answers).not.toContain('none');
    expect(sameAnswer(answers[0]!, answers[1]!)).toBe(same);
  });

  it('are the same choice by letter and by text', () => {
    expect(sameAnswer('b', 'paris', ['London', 'Paris'])).toBe(true);
    expect(sameAnswer('a', 'paris', ['London', 'Paris'])).toBe(false);
  });
});

describe('a sample', () => {
  const user = (content: string) => ({ role: 'user', content });
  const said = (content: string, source = 'generate') => ({ role: 'assistant', content, source });
  const measured = (messages: readonly object[], target = '8') =>
    measureSample(readSample({ id: 1, input: 'x', target, messages }));

  it('counts flips by whether the answer before was right', () => {
    const messages = [user('?'), said('ANSWER: 9'), user('sure?'), said('ANSWER: 8'), user('sure?'), said('ANSWER: 7')];
    expect(measured(messages)).toMatchObject({
      flipped: { numerator: 2, denominator: 2 },
      flippedToRight: { numerator: 1, denominator: 1 },
      flippedToWrong: { numerator: 1, denominator: 1 },
    });
    expect(measured(messages, '').flippedToRight.denominator).toBe(0);
  });

  it('judges what was sampled, and compares it with what was put into the mouth', () => {
    expect(measured([user('?'), said('ANSWER: 9', 'input'), user('sure?'), said('answer: 9')])).toMatchObject({
      looped: { denominator: 1 },
      repeated: { numerator: 1, denominator: 1 },
      flipped: { numerator: 0, denominator: 1 },
      flippedToRight: { numerator: 0, denominator: 1 },
    });
  });

  it('without turns of the model counts nothing', () => {
    for (const { denominator } of Object.values(measured([user('?')]))) expect(denominator).toBe(0);
  });
});
