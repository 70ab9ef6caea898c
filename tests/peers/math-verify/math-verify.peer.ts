import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { accepted, gradeReply } from '../../../src/problems/answers/grade.ts';
import { sameValue } from '../../../src/problems/answers/same-value.ts';
import { readValue } from '../../../src/problems/answers/value.ts';
import { stream } from '../../../src/random.ts';
import { type AnswerPair, answerPairs } from './pairs.ts';

const PYTHON = process.env.UNRUT_PYTHON ?? '.venv/bin/python';

/** Why there is nothing to compare with; undefined where there is. */
function absence(): string | undefined {
  try {
    execFileSync(PYTHON, ['-c', 'import math_verify'], { stdio: 'pipe' });
    return undefined;
  } catch {
    return `${PYTHON} has no math-verify; see tests/peers/math-verify/README.md`;
  }
}

const absent = absence();
if (absent !== undefined) process.stderr.write(`skipped: ${absent}\n`);

/** Answers of each kind; two pairs of each. */
const ROUNDS = 50;
/** Of what is not graded. */
const MOST_OPEN = 0.01;

const pairs = answerPairs(stream(1, 'math-verify'), ROUNDS);
const ours = pairs.map(({ gold, said }) => sameValue(readValue(gold), readValue(said)));

function theirs(): boolean[] {
  const folder = mkdtempSync(join(tmpdir(), 'unrut-math-verify-'));
  const file = join(folder, 'pairs.json');
  writeFileSync(file, JSON.stringify(pairs.map(({ gold, said }) => [gold, said])));
  const script = new URL('peer.py', import.meta.url).pathname;
  const printed = execFileSync(PYTHON, [script, file], { maxBuffer: 1e8, stdio: ['ignore', 'pipe', 'ignore'] });
  rmSync(folder, { recursive: true });
  return JSON.parse(printed.toString());
}

const told = ({ kind, gold, said }: AnswerPair, who: string) => `${kind}: ${gold} v. ${said}: ${who}`;

describe('pairs of answers whose truth is known', () => {
  it('are never graded wrongly by unrut, and hardly ever left open', () => {
    const wrong = pairs.filter(({ same }, at) => ours[at] !== undefined && ours[at] !== same);
    expect(wrong.map((pair) => told(pair, 'wrong'))).toEqual([]);
    const open = pairs.filter((_, at) => ours[at] === undefined);
    process.stderr.write(`${pairs.length} pairs, ${open.length} left open\n`);
    expect(open.length / pairs.length, open.map((pair) => told(pair, 'open')).join('\n')).toBeLessThan(MOST_OPEN);
  });

  it('are graded alike as replies', () => {
    const graded = pairs.map(({ gold, said }) => gradeReply(`So the answer is $\\boxed{${said}}$.`, accepted([gold])));
    const wrong = pairs.filter(({ same }, at) => graded[at]?.unreadable === undefined && graded[at]?.right !== same);
    expect(wrong.map((pair) => told(pair, 'wrong'))).toEqual([]);
  });

  it.skipIf(absent !== undefined)('where math-verify says otherwise, the truth is on unrut’s side', () => {
    const others = theirs();
    const unlike = pairs.flatMap((pair, at) => (others[at] === ours[at] ? [] : [{ pair, at }]));
    const lines = unlike.map(({ pair, at }) => told(pair, ours[at] === pair.same ? 'unrut is right' : 'math-verify is right'));
    const count = (who: string) => lines.filter((line) => line.endsWith(who)).length;
    process.stderr.write(`${[...new Set(lines)].sort().join('\n')}\n${pairs.length} pairs; unrut alone is right on ${count('unrut is right')}, math-verify alone on ${count('math-verify is right')}\n`);
    expect(count('math-verify is right') / pairs.length).toBeLessThan(MOST_OPEN);
  });
}); // biome-ignore format: one claim a line
