import type { WorkedStep } from './problem-family.ts';

/** A reply as some model would write it, and how it has to come out. */
export type ReplyCase = {
  readonly name: string;
  readonly text: string;
  readonly expected: 'right' | 'wrong' | 'unreadable';
  readonly ended?: 'length';
  /** The work that has to be found in it, judged alike. */
  readonly steps?: readonly WorkedStep[];
};

/** One problem's right and wrong work and the answers that follow from them. */
export type Worked = {
  readonly right: readonly WorkedStep[];
  readonly wrong: readonly WorkedStep[];
};

/** The same content in other clothes: it has to be read as what it is, right or wrong. */
const CLOTHES: Readonly<Record<string, (work: string, answer: string, steps: readonly WorkedStep[]) => string>> = {
  plain: (work, answer) => `${work}Answer: ${answer}`,
  'bold sentence': (work, answer) => `${work}\nThe answer is **${answer}**.`,
  'bold label': (work, answer) => `${work}\n**Final Answer:** ${answer}`,
  boxed: (work, answer) => `${work}\nTherefore the final answer is $\\boxed{${answer}}$.`,
  'boxed alone': (work, answer) => `${work}\n\\[\n\\boxed{${answer}}\n\\]`,
  'LaTeX text': (work, answer) => `${work}\n\\(\\text{Answer: }${answer}\\)`,
  heading: (work, answer) => `### Solution\n\n${work}\n### Answer\n\n**${answer}**\n`,
  'bold steps': (_, answer, steps) =>
    `Let me work it out.\n\n${steps.map(({ text }) => text.replace(/^(Step \d+:)/, '**$1**')).join('\n')}\nAnswer: ${answer}`,
  'bulleted steps': (_, answer, steps) => `${steps.map(({ text }) => `- ${text}`).join('')}\nAnswer: ${answer}.`,
  'numbered list': (_, answer, steps) =>
    `${steps.map(({ text }) => text.replace(/^Step (\d+):/, '$1.')).join('')}\nSo, the answer is: ${answer}`,
  'one line': (_, answer, steps) => `${steps.map(({ text }) => text.trim()).join(' ')}\nAnswer: ${answer}`,
  'thought first': (work, answer) => `<think>The answer is 7? No, the answer is 12345.</think>\n${work}Answer: ${answer}`,
  'typographic minus': (work, answer) => `${work}Answer: ${answer}`.replaceAll(/(?<=\s|\()-(?=\d)/g, '\u2212'),
  'thousands with commas': (work, answer) => withThousands(`${work}Answer: ${answer}`),
  'answer repeated': (work, answer) => `The answer is ${answer}.\n\n${work}Answer: ${answer}`,
  'talk behind it': (work, answer) => `${work}Answer: ${answer}\n\nLet me know if you want to see it done another way!`,
}; // biome-ignore format: one manner a line

const withThousands = (text: string): string =>
  text.replaceAll(/(?<![\d,.])\d{4,}(?![\d.])/g, (number) => Number(number).toLocaleString('en-US'));

/** Everything that a reader of replies has to get right, for one problem. */
export function replyCases({ right, wrong }: Worked): ReplyCase[] {
  const [good, bad] = [right.at(-1)!.concludes!, wrong.at(-1)!.concludes!]; // what is validated says what it concludes
  const clothes = Object.entries(CLOTHES).flatMap(([name, wear]): ReplyCase[] => [
    { name, expected: 'right', text: wear(textOf(right), good, right), steps: right },
    { name, expected: 'wrong', text: wear(textOf(wrong), bad, wrong), steps: wrong },
  ]);
  return [...clothes, ...revised(right, good, bad), ...unreadable(right, good, bad)];
}

const textOf = (steps: readonly WorkedStep[]): string => steps.map(({ text }) => text).join('');

/** More than one answer is named; which one is meant is clear. */
function revised(right: readonly WorkedStep[], good: string, bad: string): ReplyCase[] {
  const texts: Readonly<Record<string, string>> = {
    'answer alone': `Answer: ${good}`,
    'taken back': `Answer: ${bad}\n\nWait, that is wrong. Let me redo it.\n${textOf(right)}Answer: ${good}`,
    'wrong one first': `One might think the answer is ${bad}, but the answer is ${good}.`,
    'yours is wrong': `Your answer is ${bad}, which is wrong. The correct answer is ${good}.`,
    'mine was wrong': `My earlier answer of ${bad} was wrong. The correct answer is ${good}.`,
    'yours behind it': `The correct answer is ${good}. Your answer is ${bad}.`,
    'not that one': `The answer is not ${bad} but ${good}.`,
    'rather than': `The answer is ${good} rather than ${bad}.`,
  };
  return Object.entries(texts).map(([name, text]) => ({ name, text, expected: 'right' }));
}

/** No answer, or none that can be told: never graded wrong. */
function unreadable(right: readonly WorkedStep[], good: string, bad: string): ReplyCase[] {
  const texts: Readonly<Record<string, string>> = {
    empty: ' \n',
    refusal: "I'm sorry, but I cannot help with that.",
    'working alone': textOf(right),
    'two answers': `${textOf(right)}Answer: ${good} or ${bad}`,
    'form alone': 'Answer: <your answer>',
    'no value': 'Answer: it cannot be determined',
    question: `Is the answer ${good}?`,
    'thoughts alone': `<think>The answer is ${good}`,
  };
  const cases = Object.entries(texts).map(([name, text]): ReplyCase => ({ name, text, expected: 'unreadable' }));
  return [...cases, ...truncated(`${textOf(right)}Answer: ${good}`)];
}

/** Cut at a few places, the last of them within the answer. */
function truncated(text: string): ReplyCase[] {
  const places = [0.1, 0.35, 0.6, 0.85].map((share) => Math.floor(share * text.length));
  return [...places, text.length - 1].map((end) => {
    return { name: 'truncated', text: text.slice(0, end), expected: 'unreadable', ended: 'length' };
  });
}
