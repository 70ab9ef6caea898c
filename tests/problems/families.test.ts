import { writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { parts } from '../../src/cli/parts.ts';
import { runCli } from '../../src/cli/program.ts';
import { CHALLENGE_KINDS, CHALLENGES, challengeText } from '../../src/problems/challenges.ts';
import { FAMILIES, openFamily } from '../../src/problems/families.ts';
import { isHeldOut } from '../../src/problems/held-out.ts';
import { ownProblems, readOwnProblems } from '../../src/problems/own-problems.ts';
import { RIGHT } from '../../src/problems/problem-family.ts';
import { validate } from '../../src/problems/validate.ts';
import { stream } from '../../src/random.ts';
import { temporaryFile } from '../temporary.ts';

const EDGES: readonly (readonly [string, Record<string, unknown>])[] = [
  ['dictionary-sum', { entries: 3, keys: 2, largest: 9 }],
  ['dictionary-sum', { entries: 40, keys: 20, largest: 9999 }],
  ['word-problem', { events: 2, asides: 0 }],
  ['word-problem', { events: 12, largest: 500, asides: 5 }],
  ['multiplication', { firstDigits: 2, secondDigits: 2 }],
  ['multiplication', { firstDigits: 5, secondDigits: 4 }],
  ['swapped-objects', { people: 3, swaps: 2 }],
  ['swapped-objects', { people: 8, swaps: 12 }],
  ['transformation', { over: 'letters' }],
  ['transformation', { items: 3, operations: 2 }],
  ['transformation', { items: 10, operations: 12 }],
  ['countdown', { numbers: 3 }],
  ['countdown', { numbers: 5, largest: 50 }],
];

describe('families grade themselves', () => {
  const plain = FAMILIES.map(({ name }) => [name, {}, 60] as const);
  it.each([...plain, ...EDGES.map(([name, dials]) => [name, dials, 8] as const)])('%s %j', (name, dials, problems) => {
    const { checks } = validate(openFamily(name, dials), problems, 7);
    expect(checks.filter(({ failed }) => failed > 0)).toEqual([]);
    expect(checks.length).toBeGreaterThan(10);
  });
});

describe('the split', () => {
  it.each(FAMILIES.filter(({ name }) => name !== 'running-sum').map(({ name }) => name))('of %s', (name) => {
    const family = openFamily(name);
    const draws = stream(3, name);
    const ids = Array.from({ length: 30 }, () => family.id(family.drawTest(draws)));
    const training = Array.from({ length: 30 }, () => family.id(family.drawTraining!(draws)));
    expect(ids.every(isHeldOut)).toBe(true);
    expect(training.some(isHeldOut)).toBe(false);
    expect(new Set(ids).size).toBe(30);
  });
});

it('the same seed draws the same problem and the same wrong work', () => {
  const once = () => {
    const family = openFamily('word-problem');
    const draws = stream(5);
    const problem = family.drawTest(draws);
    return [family.id(problem), family.work(problem, () => ({ kind: 'slip', what: 'amount' }), draws)];
  };
  expect(once()).toEqual(once());
});

it('dials are checked by name and range', () => {
  expect(() => openFamily('multiplication', { digits: 3 })).toThrow(/multiplication: .*digits/);
  expect(() => openFamily('countdown', { numbers: 9 })).toThrow(/countdown: numbers: .*6/);
  expect(() => openFamily('dictionary-sum', { keys: 10 })).toThrow(/keys: must be fewer than entries/);
  expect(() => openFamily('nope')).toThrow(/no family "nope"; there are dictionary-sum/);
});

describe('challenges', () => {
  it.each(CHALLENGE_KINDS)('of kind %s have six wordings or more, some held out', (kind) => {
    const its = CHALLENGES.filter((challenge) => challenge.kind === kind);
    expect(new Set(its.map(({ text }) => text)).size).toBeGreaterThanOrEqual(6);
    expect(its.filter(({ heldOut }) => heldOut).length).toBeGreaterThanOrEqual(2);
    for (const challenge of its) expect(challengeText(challenge, { answer: '42', step: 3, line: '1 + 1 = 2' })).not.toMatch(/[{}]/);
  }); // biome-ignore format: one claim a line
});

describe('problems of one’s own', () => {
  const file = (...lines: string[]) => {
    const path = temporaryFile('mine.jsonl');
    writeFileSync(path, lines.join('\n'));
    return path;
  };

  it.each([
    ['{"question": "a?", "answer": 1}\n{"question": "b?"}', /mine\.jsonl:2: answer: /],
    ['{"question": "", "answer": 1}', /mine\.jsonl:1: question: /],
    ['{"question": "a?", "answer": 1, "steps": ["x", 2]}', /mine\.jsonl:1: steps\.1: /],
    ['{"question": "a?", "answer": 1, "hint": "x"}', /mine\.jsonl:1: line: .*hint/],
    ['{"question": "a?", "answer": 1}\n\n{"question": "a?", "answer": 2}', /mine\.jsonl:3: question: is the same as in line 1/],
    ['{"question": "a?"', /mine\.jsonl:1: line: is not JSON/],
    ['\n', /mine\.jsonl: holds no problem/],
  ])('%j is refused', async (text, message) => {
    await expect(readOwnProblems(file(text))).rejects.toThrow(message);
  }); // biome-ignore format: a case a line

  it('name a file that is not there', async () => {
    await expect(readOwnProblems('/no/such.jsonl')).rejects.toThrow('/no/such.jsonl: cannot be read (ENOENT)');
  });

  it('take their wrong turns from what was handed in, else from the author’s work with another answer', () => {
    const problem = { question: 'How many?', answer: '1234', numeric: true, steps: ['1000 + 234'] };
    const given = new Map([['How many?', ['Answer: 1,234', 'By hand: 1000 + 235.\nAnswer: 1235', 'No idea.']]]);
    const family = ownProblems('mine.jsonl', [problem], given);
    const wrong = family.work(problem, () => ({ kind: 'slip', what: 'handed in' }), stream(1));
    expect(family.reply(wrong)).toBe('By hand: 1000 + 235.\nAnswer: 1235');
    expect(family.read(problem, family.reply(wrong))).toMatchObject({ answer: '1235', answerRight: false, steps: wrong });
    expect(family.reply(family.work(problem, () => RIGHT, stream(1)))).toBe('Step 1: 1000 + 234\nAnswer: 1234');
    const made = ownProblems('mine.jsonl', [{ ...problem, steps: ['1000 + 234 = 1234, so 1,2345 is not it'] }]);
    const others = Array.from({ length: 40 }, (_, seed) => made.reply(made.work(made.drawTest(stream(1)), () => ({ kind: 'slip', what: 'any' }), stream(seed))));
    expect(new Set(others).size).toBeGreaterThan(3);
    for (const other of others) expect(other).toMatch(/^Step 1: 1000 \+ 234 = (12\d\d), so 1,2345 is not it\nAnswer: \1$/);
    const city = { question: 'Which city?', answer: 'paris', numeric: false, steps: [] };
    const none = ownProblems('mine.jsonl', [city]);
    expect(none.slips).toEqual([]);
    expect(() => none.work(city, () => ({ kind: 'slip', what: 'any' }), stream(1))).toThrow(/no wrong answer to "Which city\?" can be made/);
    const claim = { ...city, answer: 'yes' };
    expect(ownProblems('mine.jsonl', [claim]).work(claim, () => ({ kind: 'slip', what: 'any' }), stream(1))).toMatchObject([{ concludes: 'no', right: false }]);
  }); // biome-ignore format: one claim a line

  it('are validated by the command', async () => {
    const path = file('{"question": "What is 6 times 7? Say it.", "answer": 42}', '{"question": "Which city?", "answer": "Paris"}', '{"question": "How cold?", "answer": -3.5}');
    expect(await cli('problems', 'validate', path)).toMatchObject({ code: 0, out: expect.stringContaining('all hold') });
  }); // biome-ignore format: one claim a line
});

describe('the command', () => {
  it('lists families and dials', async () => {
    const listed = JSON.parse((await cli('problems', 'list', '--json')).out);
    expect(listed.map(({ name }: { name: string }) => name)).toEqual(FAMILIES.map(({ name }) => name));
    expect((await cli('problems', 'list')).out).toContain('firstDigits=3');
  });

  it('shows a problem with every wrong turn', async () => {
    const shown = await cli('problems', 'show', 'multiplication', '--seed', '3', '--set', 'firstDigits=2');
    expect(shown.out).toMatch(/== misconception "carry doubled" ==/);
    const json = JSON.parse((await cli('problems', 'show', 'countdown', '--json')).out);
    expect(json.works).toHaveLength(6);
    expect(await cli('problems', 'show', 'multiplication', '--set', 'firstDigits=1')).toMatchObject({
      code: 1,
      error: expect.stringContaining('multiplication: firstDigits'),
    });
  });

  it('validates, as a table and as JSON, with an exit code', async () => {
    const { code, out } = await cli('problems', 'validate', 'swapped-objects', '--problems', '5', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)[0]).toMatchObject({ family: 'swapped-objects', problems: 5 });
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

async function cli(...words: string[]): Promise<{ code: number; out: string; error: string }> {
  const said = { out: '', error: '' };
  const hear = (stream: NodeJS.WriteStream, where: 'out' | 'error') =>
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      said[where] += String(text);
      return true;
    });
  hear(process.stdout, 'out');
  hear(process.stderr, 'error');
  const code = await runCli(words, async () => ({
    ...parts,
    openModel: () => Promise.reject(new Error('no engine is needed')),
  }));
  return { code, ...said };
}
