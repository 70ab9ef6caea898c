import { describe, expect, it } from 'vitest';
import type { ChatModel, Reply } from '../../src/conversation/chat-model.ts';
import { createProber } from '../../src/probes/all-probes.ts';
import { competentProblems } from '../../src/probes/competence.ts';
import { easierWays } from '../../src/problems/easier.ts';
import { FAMILIES, openFamily } from '../../src/problems/families.ts';
import { RIGHT } from '../../src/problems/problem-family.ts';
import { runningSumFamily } from '../../src/problems/running-sum-family.ts';
import { withShots } from '../../src/problems/shots.ts';
import { stream } from '../../src/random.ts';

const inWords = FAMILIES.filter(({ name }) => name !== 'running-sum').map(({ name }) => name);

describe.each(inWords)('worked demonstrations of %s', (name) => {
  const family = openFamily(name);
  const shown = withShots(family, 3);
  const problem = family.drawTest(stream(1, 'a test problem'));
  const before = shown.prompt(problem).slice(0, -family.prompt(problem).length);

  it('are three problems of the training side, worked rightly', () => {
    const examples = before.split(/Example \d\n\n/).slice(1);
    expect(examples).toHaveLength(3);
    for (const example of examples) expect(example).toMatch(/[Aa]nswer/);
    const draws = stream(0, 'demonstrations', family.name);
    const first = family.drawTraining!(draws);
    const reply = family.reply(family.work(first, () => RIGHT, draws));
    expect(examples[0]).toContain(family.prompt(first));
    expect(family.read(first, reply).answerRight).toBe(true);
    expect(examples[0]).toContain(reply.trim());
  });

  it('stand in front of every prompt, and of the first piece where it is told in pieces', () => {
    const other = family.drawTest(stream(2, 'another test problem'));
    expect(shown.prompt(other)).toBe(before + family.prompt(other));
    expect(shown.id(problem)).toBe(family.id(problem));
    const { turns, joined } = shown.shards(problem, stream(1, 'shards'));
    const plain = family.shards(problem, stream(1, 'shards'));
    expect(joined).toBe(before + plain.joined);
    expect(turns).toEqual([before + plain.turns[0]!, ...plain.turns.slice(1)]);
  });
});

it('demonstrations are refused where a family has none to show', () => {
  expect(() => withShots(runningSumFamily, 3)).toThrow('--shots 3: running-sum has no worked problems to show');
});

it('the ways to make a family easier leave out the one that was taken', () => {
  const family = openFamily('multiplication');
  const dials = '--set firstDigits=2 --set secondDigits=2';
  expect(easierWays(family, 'multiplication').map(({ flags }) => flags)).toEqual([
    '--shots 3',
    dials,
    `${dials} --shots 3`,
  ]);
  expect(easierWays(withShots(family, 2), 'multiplication').map(({ flags }) => flags)).toEqual([`${dials} --shots 3`]);
  expect(easierWays(runningSumFamily, 'running-sum')).toEqual([]);
});

/** Says the same to everything, and remembers the calls. */
class Parrot implements ChatModel {
  readonly name = 'parrot';
  readonly can = { prefill: true, logprobs: true, ownLogprobs: true, seed: true };
  readonly calls: { readonly place: number | undefined; readonly count: number }[] = [];
  readonly #text: (prompt: string) => string;

  constructor(text: (prompt: string) => string) {
    this.#text = text;
  }

  async reply(...[conversations, { samples, place }]: Parameters<ChatModel['reply']>): Promise<Reply[][]> {
    this.calls.push({ place, count: conversations.length });
    return conversations.map((conversation) => {
      const text = this.#text(conversation[0]!.text);
      return Array.from({ length: samples }, () => ({ text, tokens: undefined, tokenCount: 1, stopReason: 'stop' }));
    });
  }

  async logprobs(items: Parameters<ChatModel['logprobs']>[0]) {
    return items.map(({ continuation }) => [{ text: continuation, logprob: -1, topLogprob: -0.5 }]);
  }
}

describe('the competence gate', () => {
  const family = openFamily('dictionary-sum');

  it('asks in parts that know their place, and tells how far it is', async () => {
    const model = new Parrot(() => 'no');
    const shares: number[] = [];
    await competentProblems(model, family, 40, 1, (share) => shares.push(share));
    const places = model.calls.map(({ place }) => place);
    expect(places.length).toBeGreaterThan(3);
    expect(places).toEqual(places.map((_, at) => at * model.calls[0]!.count));
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.at(-1)).toBe(1);
  });

  it('stops when it is interrupted', async () => {
    const model = new Parrot(() => 'no');
    const interrupted = competentProblems(model, family, 400, 1, () => {
      throw new Error('interrupted');
    });
    await expect(interrupted).rejects.toThrow('interrupted');
    expect(model.calls.length).toBeLessThan(5);
  });

  it('tries what is easier where hardly any problem is solved, and says what came of it', async () => {
    const model = new Parrot((prompt) => (prompt.includes('Example 3') ? 'Answer: 1' : 'a tale without a number'));
    const prober = createProber(family, undefined, easierWays(family, 'dictionary-sum'));
    const target = { name: 'parrot', model, competence: model };
    const { problems, rows, skipped } = await prober.probe(target, { problems: 8, behaviours: ['few-shot', 'multi-turn'], seed: 1 });
    expect(problems[0]!.gate).toMatchObject({ passed: 0, replies: { unreadable: 40 }, shown: { outcome: 'unreadable', text: 'a tale without a number' } });
    expect(problems[0]!.gate!.easier?.map(({ drawn }) => drawn)).toEqual([5, 5, 5]);
    expect(rows.map(({ metric }) => metric)).toEqual(['few_shot_gain', 'few_shot_gain', 'few_shot_gain']);
    expect(skipped).toEqual([{ behaviour: 'multi-turn', why: expect.stringMatching(/^needs problems that the model solves; it solved none of 10/) }]);
  });
}); // biome-ignore format: one claim a line
