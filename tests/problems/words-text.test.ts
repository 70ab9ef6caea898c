import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ChatFormat } from '../../src/chat/chat-format.ts';
import { type DictionarySum, dictionarySum } from '../../src/problems/dictionary-sum.ts';
import { isHeldOut } from '../../src/problems/held-out.ts';
import { WORDS } from '../../src/problems/words.ts';
import { stream } from '../../src/random.ts';
import { drawAuthorsDocument, drawDocument, encodeDocument, withShares } from '../../src/texts/base-text.ts';
import { drawWordsTurns, type WordsText, wordsTextSchema } from '../../src/texts/words-text.ts';
import { temporaryFolder } from '../temporary.ts';

const FOLDER = 'models/words';
const declared = wordsTextSchema.parse(JSON.parse(readFileSync(join(FOLDER, 'unrut.json'), 'utf8')).baseText);

/** Nothing but one kind of document, by one kind of author, without the variations. */
function only(
  document: keyof WordsText['documents'],
  author: keyof WordsText['authors'],
  more: Partial<WordsText> = {},
) {
  const text = withShares(declared, { documents: { [document]: 1 }, authors: { [author]: 1 } });
  return { ...text, corrected: 0, endorsed: 0, looseWording: 0, ...more } as WordsText; // it was one before
}

const conversations = (text: WordsText, count = 60) =>
  Array.from({ length: count }, (_, at) => drawWordsTurns(stream(1, 'conversation', at), text));

const family = dictionarySum({ entries: 8, keys: 5, largest: 9 });

/** The problem that a prompt states. */
function problemOf(prompt: string): DictionarySum {
  const entries = [...prompt.matchAll(/ (\w+) = (-?\d+)/g)].filter(([, word]) => word !== undefined);
  const stated = entries.map(([, word, value]) => [word!, Number(value)] as const); // both groups always match
  return { entries: stated, keys: [...prompt.matchAll(/Add (\w+)\./g)].map(([, word]) => word!) };
}

const reading = (turns: ReturnType<typeof drawWordsTurns>, at: number) =>
  family.read(problemOf(turns[0]!.text), turns[at]!.text); // every document has a turn

describe('authors in words', () => {
  it('are right where they are careful', () => {
    for (const turns of conversations(only('solution', 'careful')))
      expect(reading(turns, 1)).toMatchObject({ answerRight: true });
  });

  it.each([
    'solution',
    'drill',
    'challengedOwn',
    'challengedOther',
    'review',
    'reviewedOwn',
    'checkedOwn',
    'joinedShards',
  ] as const)('write no %s on a problem of the test side', (kind) => {
    const problems = conversations(only(kind, 'careful'), 200).map(([question]) => problemOf(question!.text)); // the first turn
    expect(problems.filter((problem) => isHeldOut(family.id(problem)))).toEqual([]);
  });

  it('hold a misconception at every step', () => {
    for (const turns of conversations(only('solution', 'misconceiving'))) {
      const { steps, answerRight } = reading(turns, 1);
      expect(steps.map(({ locallyRight }) => locallyRight)).toEqual(steps.map(() => false));
      expect(answerRight).toBe(false);
    }
  });

  it('take slips back at once, or repeat a step for good', () => {
    const corrected = conversations(only('solution', 'correcting', { correctingRate: 1 }));
    for (const turns of corrected) {
      expect(reading(turns, 1).answerRight).toBe(true);
      expect(turns[1]!.text).toMatch(/No, that is wrong\.\nStep 1/);
    }
    for (const turns of conversations(only('solution', 'stuck'))) expect(turns[1]!.text).toMatch(/(Step .*\n)\1{7,}$/);
  });

  it('restate their own answer, and work through the one of somebody else', () => {
    for (const turns of conversations(only('challengedOwn', 'erratic', { restateOwn: 1 })))
      expect(turns[3]!.text).toBe(turns[1]!.text.replace('Answer:', 'The solution above is right.\nAnswer:'));
    const others = conversations(only('challengedOther', 'careful', { recomputeOther: 1 }));
    for (const turns of others) expect(reading(turns, 3).answerRight).toBe(true);
    expect(others.filter((turns) => !reading(turns, 1).answerRight).length).toBeGreaterThan(20);
  });

  it('review the work of others step by step, and pass their own unseen', () => {
    for (const turns of conversations(only('review', 'careful'))) {
      const wrong = reading(turns, 1).steps.findIndex(({ right }) => !right);
      expect(turns[3]!.text.endsWith(`First wrong step: ${wrong < 0 ? 'none' : wrong + 1}`)).toBe(true);
    }
    for (const turns of conversations(only('reviewedOwn', 'misconceiving')))
      expect(turns[3]!.text).toMatch(/First wrong step: none$/);
    for (const turns of conversations(only('checkedOwn', 'erratic'))) {
      const verdicts = turns[1]!.text.match(/^Check \d: .*$/gm)!; // each has a check
      expect(verdicts).toHaveLength(reading(turns, 1).steps.length);
      expect(verdicts.every((line) => line.endsWith(' right'))).toBe(true);
    }
  });
});

describe('the text', () => {
  it('has an author or the assistant speak, and base text authors alone', () => {
    const roles = (draw: typeof drawDocument) =>
      new Set(Array.from({ length: 80 }, (_, at) => draw(stream(1, at), declared)).flatMap((document) =>
        document.flatMap(({ text }) => text.match(/^<\|im_start\|>(\w+)/)?.[1] ?? []))); // biome-ignore format: one thought
    expect(roles(drawDocument)).toEqual(new Set(['user', 'author', 'assistant']));
    expect(roles(drawAuthorsDocument)).toEqual(new Set(['user', 'author']));
  });

  it('refuses shares that it does not have, by name', () => {
    expect(() => withShares(declared, { documents: { gossip: 1 }, authors: {} })).toThrow(/curriculum: .*gossip/);
  });
});

describe('the tokenizer', () => {
  let format: ChatFormat;
  beforeAll(async () => {
    format = await ChatFormat.open(FOLDER);
  });

  it('gives each word of a dictionary and each digit with its sign one token', () => {
    for (const word of WORDS) expect(format.encode(` ${word}`)).toHaveLength(1);
    for (const number of [' 7', ' -3', '-3', '7', ' is -3', ' = 9']) expect(format.encode(number)).toHaveLength(1);
    expect(format.pieces(format.encode(' -128'))).toEqual([' -1', '2', '8']);
  });

  it('holds all text, by kinds and in any language', () => {
    for (let at = 0; at < 200; at++) {
      const document = drawDocument(stream(2, at), declared);
      const { tokens, by } = encodeDocument(document, format.encode);
      expect(format.decode(tokens)).toBe(document.map(({ text }) => text).join(''));
      expect(by).toHaveLength(tokens.length);
    }
    expect(format.decode(format.encode('Zażółć 🙂'))).toBe('Zażółć 🙂');
  });

  it('cuts open work where it is left open', () => {
    const [problem, draws] = [family.drawTest(stream(1)), stream(1)];
    const steps = family.work(problem, () => ({ kind: 'right' }), draws);
    const whole = `${steps.map(({ text }) => text).join('')}${family.checking} right\n`;
    for (const cut of [steps[0]!.text.length, whole.length - ' right\n'.length])
      expect([...format.encode(whole.slice(0, cut)), ...format.encode(whole.slice(cut))]).toEqual(format.encode(whole));
  });

  it('comes out of its script the same again', () => {
    const folder = temporaryFolder();
    cpSync(join(FOLDER, 'unrut.json'), join(folder, 'unrut.json'));
    execFileSync('npx', ['tsx', 'bench/words-tokenizer.ts', folder], { stdio: 'ignore' });
    expect(readFileSync(join(folder, 'tokenizer.json'), 'utf8')).toBe(
      readFileSync(join(FOLDER, 'tokenizer.json'), 'utf8'),
    );
  });
});
