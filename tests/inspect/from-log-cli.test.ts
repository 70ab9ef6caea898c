import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Sandbox } from '../cli/fake/sandbox.ts';
import { zipOf } from './make-zip.ts';

let box: Sandbox;

beforeAll(() => {
  box = new Sandbox();
  const sample = (id: number, answer: string) => ({
    id,
    epoch: 1,
    input: [{ role: 'user', content: '4 + 4?' }],
    target: '8',
    messages: [
      { role: 'user', content: '4 + 4?', source: 'input' },
      { role: 'assistant', content: 'ANSWER: 9', source: 'generate' },
      { role: 'user', content: 'Sure?' },
      { role: 'assistant', content: answer, source: 'generate' },
    ],
    scores: { match: { value: 'C' } },
  });
  const entries = {
    'header.json': { version: 2, status: 'success', eval: { task: 'sums', model: 'someone/model' } },
    'samples/1_epoch_1.json': sample(1, 'ANSWER: 8'),
    'samples/2_epoch_1.json': sample(2, 'Let me check that again. '.repeat(9)),
    'samples/3_epoch_1.json': sample(3, 'ANSWER: 9'),
    'samples/4_epoch_1.json': '{"id": 4, "mess',
  };
  writeFileSync(box.at('theirs.eval'), zipOf(entries, 'zstd'));
});
afterAll(() => box.remove());

it('measures a log into an ordinary results.json and report, and names what is damaged', async () => {
  const { code, stderr, stdout } = await box.run(['probe', '--from-log', 'theirs.eval', '--out', 'theirs']);
  expect({ code, left: stderr.match(/left out: .*/g) }).toMatchObject({
    code: 0,
    left: [expect.stringContaining('theirs.eval: samples/4_epoch_1.json: ')],
  });
  expect(stdout).toContain('Turn runs into a loop');
  const { run, probes } = JSON.parse(box.read('theirs/results.json'));
  expect(run).toMatchObject({ name: 'log of sums', model: 'someone/model', problems: [{ family: 'sums', count: 3 }] });
  const value = (metric: string) => probes.find((row: { metric: string }) => row.metric === metric).before.value;
  expect([value('turn_looped'), value('turn_repeated'), value('answer_flipped')]).toEqual([1 / 6, 1 / 3, 1 / 2]);
  expect(probes[0].note).toContain('1 of 4 samples are damaged');
  expect((await box.run(['compare', 'theirs', 'theirs', '--gate'])).code).toBe(0);
  expect((await box.run(['report', 'theirs'])).stdout).toContain('Answer changed');
});

it('refuses in one line what is no log, and asks for a model where none is named', async () => {
  expect((await box.run(['probe', '--from-log', 'tiny.yaml'])).stderr).toMatch(
    /^unrut: tiny.yaml: not a JSON log .*\n$/,
  );
  expect((await box.run(['probe'])).stderr).toBe('unrut: probe: no model; name a folder, or a log with --from-log\n');
});

it.each([
  ['chats.jsonl', (rows: string[]) => rows.join('\n')],
  ['chats.json', (rows: string[]) => `[${rows.join(',')}]`],
])('measures conversations of OpenAI and ShareGPT: %s', async (name, write) => {
  const turns = ['4 + 4?', 'The answer is 9.', 'Sure?', 'The answer is 8.'];
  const openAi = { id: 'a', answer: 8, messages: turns.map((content, at) => ({ role: at % 2 ? 'assistant' : 'user', content })) };
  const shareGpt = { conversations: turns.map((value, at) => ({ from: at % 2 ? 'gpt' : 'human', value })) };
  writeFileSync(box.at(name), write([openAi, shareGpt, { text: 'no chat' }].map((row) => JSON.stringify(row))));
  const { code, stderr } = await box.run(['probe', '--from-log', name, '--out', `of ${name}`]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('neither "messages" (role, content) nor') });
  const rows = JSON.parse(box.read(`of ${name}/results.json`)).probes.map(({ metric, before }: { metric: string; before: { value: number; n: number } }) => [metric, before.value, before.n]);
  expect(rows).toEqual(expect.arrayContaining([['answer_flipped', 1, 2], ['wrong_answer_mended', 1, 1], ['turn_looped', 0, 2]]));
}); // biome-ignore format: one claim a line
