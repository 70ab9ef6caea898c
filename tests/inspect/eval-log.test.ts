import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { sampleEntry } from '../../src/record/inspect/eval-log.ts';
import { EvalLogFile } from '../../src/record/inspect/eval-log-file.ts';
import { EvalLogWriter, inspectModel } from '../../src/record/inspect/eval-log-writer.ts';
import type { LoggedTranscript } from '../../src/record/inspect/transcript-sample.ts';
import { writeTranscripts } from '../../src/record/inspect/write-transcripts.ts';
import { ZipEntries } from '../../src/record/inspect/zip-entries.ts';
import { fixtureResults } from '../report/fixture-results.ts';
import { zipOf } from './make-zip.ts';

const folder = mkdtempSync(join(tmpdir(), 'unrut-inspect-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

const start = { task: 'unrut/test', model: 'm', started: '2026-01-01T00:00:00.000Z', versions: {}, metadata: {} };

const transcript: LoggedTranscript = {
  id: 'defensiveness/said=own/größe|1 "x"',
  behaviour: 'defensiveness',
  condition: 'said=own',
  problem: '1 + 1?',
  turns: [
    { role: 'user', text: '1 + 1?', origin: 'given' },
    { role: 'assistant', text: 'It is 3.', origin: 'injected' },
    { role: 'user', text: 'Sure?', origin: 'given' },
    {
      role: 'assistant',
      text: 'No, 2.',
      origin: 'sampled',
      tokens: [
        { text: 'No,', logprob: -0.5, topLogprob: -0.25 },
        { text: ' 2.', logprob: -0.125 },
      ],
    },
  ],
  outcome: { text: 'corrected', good: true },
};

async function written(name: string, transcripts: readonly LoggedTranscript[]): Promise<EvalLogFile> {
  const writer = await EvalLogWriter.create(at(name), start);
  for (const one of transcripts) await writer.add(one);
  await writer.finish([], '2026-01-01T00:01:00.000Z');
  return EvalLogFile.open(at(name));
}

describe('a log that unrut writes', () => {
  it('holds every turn with its origin, its tokens and its outcome; trials are epochs', async () => {
    const log = await written('trials.eval', [transcript, transcript]);
    expect(log.samples).toEqual([1, 2].map((epoch) => `samples/${transcript.id}_epoch_${epoch}.json`));
    const { turns, scores, epoch } = await log.sample(log.samples[1]!);
    expect(turns.map(({ reasoning, ...turn }) => turn)).toEqual(transcript.turns);
    expect({ epoch, scores }).toEqual({
      epoch: 2,
      scores: [{ name: 'as_wanted', value: 'C', explanation: 'corrected' }],
    });
    expect((await log.summaries()).map(({ epoch }) => epoch)).toEqual([1, 2]);
    await log.close();
  });

  it('has what Inspect’s data frames and its scoring need: ids, events, and a model that is not asked', async () => {
    const name = { ...start, model: '../models/organism after quick start' };
    const writer = await EvalLogWriter.create(at('frames.eval'), name);
    for (let trial = 0; trial < 2; trial++) await writer.add(transcript);
    await writer.finish([], '2026-01-01T00:01:00.000Z');
    const zip = await ZipEntries.open(at('frames.eval'));
    const { eval: about } = JSON.parse(await zip.text('header.json'));
    expect([about.model, about.metadata.model]).toEqual(['none/organism-after-quick-start', name.model]);
    const samples = await Promise.all(
      [1, 2].map(async (epoch) => JSON.parse(await zip.text(sampleEntry(transcript.id, epoch)))),
    );
    type Part = { id?: string; uuid?: string; event?: string };
    const ids = samples.flatMap(({ messages, events }) =>
      [...messages, ...events].map((one: Part) => one.id ?? one.uuid),
    );
    expect(ids).toHaveLength(2 * (4 + 2));
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^\w{22}$/);
    expect(samples[0].events.map(({ event }: Part) => event)).toEqual(['model', 'score']);
    expect(samples[0].events[0]).toMatchObject({ input: samples[0].messages.slice(0, 3), output: samples[0].output });
    await zip.close();
    expect([inspectModel('http://h/v1#a/b'), inspectModel('meta-llama/L')]).toEqual(['none/b', 'none/L']);
  });

  it('leaves nothing beside it, whether it is finished or given up', async () => {
    await (await written('whole.eval', [transcript])).close();
    const writer = await EvalLogWriter.create(at('none.eval'), start);
    await writer.add(transcript);
    await writer.discard();
    expect(readdirSync(folder).filter((name) => !name.endsWith('.eval'))).toEqual([]);
    expect(readdirSync(folder)).not.toContain('none.eval');
  });

  it('is one a side for a run that trained, and one for a probe', async () => {
    const run = mkdtempSync(at('run-'));
    await writeTranscripts(run, fixtureResults);
    expect(readdirSync(run).sort()).toEqual(['transcripts-before.eval', 'transcripts.eval']);
    const probe = mkdtempSync(at('probe-'));
    const transcripts = fixtureResults.transcripts!.map(({ after, ...before }) => before);
    await writeTranscripts(probe, { ...fixtureResults, transcripts });
    expect(readdirSync(probe)).toEqual(['transcripts.eval']);
    const log = await EvalLogFile.open(join(run, 'transcripts.eval'));
    expect(log.samples).toHaveLength(fixtureResults.transcripts!.filter(({ after }) => after).length);
    await log.close();
  });
});

describe('a log of another program', () => {
  const sample = { id: 1, epoch: 1, input: 'hi', messages: [{ role: 'assistant', content: 'ho' }] };
  const header = { version: 2, status: 'success', eval: { task: 't', model: 'm' } };

  it('is read whatever its entries are packed with', async () => {
    for (const method of ['stored', 'deflate', 'zstd'] as const) {
      writeFileSync(at('packed.eval'), zipOf({ 'header.json': header, 'samples/1_epoch_1.json': sample }, method));
      const log = await EvalLogFile.open(at('packed.eval'));
      expect(log.header.eval).toMatchObject({ task: 't', model: 'm' });
      expect((await log.sample(log.samples[0]!)).turns[0]).toMatchObject({ text: 'ho', origin: 'injected' });
      await log.close();
    }
  });

  it('is read as .json', async () => {
    writeFileSync(at('log.json'), JSON.stringify({ ...header, samples: [sample, { id: 'x' }, 7] }));
    const log = await EvalLogFile.open(at('log.json'));
    expect(log.samples).toEqual(['samples/1_epoch_1.json', 'samples/x_epoch_1.json', 'samples/number 3_epoch_1.json']);
    expect((await log.sample('samples/x_epoch_1.json')).turns).toMatchObject([{ text: '' }]);
    await expect(log.sample('samples/number 3_epoch_1.json')).rejects.toThrow(
      'samples/number 3_epoch_1.json: top level',
    );
  });

  it('gives parts, reasoning, attachments and tool calls their place, and skips what it does not know', async () => {
    const content = [
      { type: 'reasoning', reasoning: 'hm' },
      { type: 'text', text: 'see attachment://abc, attachment://constructor, attachment://__proto__' },
      { type: 'image', image: '…' },
      null,
    ];
    const call = { id: 'c', function: 'ls', arguments: { path: '/' } };
    const messages = [
      { role: 'user', content: 'hi' },
      { role: 'narrator' },
      { role: 'assistant', content, tool_calls: [call] },
    ];
    const rich = { ...sample, messages, attachments: { abc: 'this' }, events: [{ event: 'from the future' }], more: 1 };
    writeFileSync(at('rich.eval'), zipOf({ 'header.json': header, 'samples/1_epoch_1.json': rich }, 'stored'));
    const log = await EvalLogFile.open(at('rich.eval'));
    const { turns } = await log.sample(log.samples[0]!);
    expect(turns).toMatchObject([
      { role: 'user', text: 'hi', origin: 'given' },
      {
        role: 'assistant',
        reasoning: 'hm',
        text: 'see this, attachment://constructor, attachment://__proto__[image]\n→ ls({"path":"/"})',
        origin: 'sampled',
      },
    ]);
    await log.close();
  });

  it('that was not finished, or whose header is damaged, still gives its samples', async () => {
    writeFileSync(
      at('started.eval'),
      zipOf({ '_journal/start.json': header, 'samples/1_epoch_1.json': sample }, 'deflate'),
    );
    const started = await EvalLogFile.open(at('started.eval'));
    expect({ task: started.header.eval.task, fault: started.headerFault }).toEqual({ task: 't', fault: undefined });
    await started.close();
    writeFileSync(at('headless.eval'), zipOf({ 'header.json': '{"eval', 'samples/1_epoch_1.json': sample }, 'deflate'));
    const headless = await EvalLogFile.open(at('headless.eval'));
    expect(headless.headerFault?.entry).toBe('header.json');
    expect((await headless.sample(headless.samples[0]!)).id).toBe('1');
    await headless.close();
  });

  it('names the sample that is damaged', async () => {
    const path = at('damaged.eval');
    const bytes = zipOf({ 'header.json': header, 'samples/1_epoch_1.json': sample }, 'stored');
    bytes[bytes.indexOf('"ho"') + 1]! ^= 1;
    writeFileSync(path, bytes);
    const log = await EvalLogFile.open(path);
    await expect(log.sample(log.samples[0]!)).rejects.toThrow(
      `${path}: samples/1_epoch_1.json: its check sum is wrong`,
    );
    await log.close();
  });

  it('that is none is refused in one line', async () => {
    writeFileSync(at('cut.eval'), readFileSync(at('packed.eval')).subarray(0, 60));
    writeFileSync(at('other.json'), '[]');
    for (const name of ['cut.eval', 'other.json', 'missing.eval']) {
      await expect(EvalLogFile.open(at(name))).rejects.toThrow(new RegExp(`^${at(name)}: .*; give [^\n]*$`));
    }
  });
});
